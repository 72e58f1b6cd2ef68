import { describe, expect, test } from "vitest";
import { ByteInput, MalformedMessageError, type MessageFault } from "../../server/dicomweb/byte-input.ts";
import { readResponseHead, responseBody } from "../../server/dicomweb/http-message.ts";

/** Every chunk lies in the same buffer, as a socket's do. */
async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < text.length; at += size) {
    const length = buffer.write(text.slice(at, at + size), "latin1");
    yield buffer.subarray(0, length);
    buffer.fill("!");
  }
}

async function read(text: string, size: number) {
  const input = new ByteInput(chunksOf(text, size));
  const head = await readResponseHead(input);
  const copies: string[] = [];
  for await (const chunk of responseBody(head, input)) copies.push(Buffer.from(chunk).toString("latin1"));
  return { ...head, body: copies.join("") };
}

const ok = "HTTP/1.1 200 OK\r\n";

describe("a response, however it is cut", () => {
  test.each([
    ["of known length", `${ok}Content-Length: 5\r\n\r\nhello, and what is not ours`, "hello"],
    ["that ends with the connection", `${ok}Content-Type: text/plain\r\n\r\nhello`, "hello"],
    ["in chunks", `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, "hello"],
    [
      "in chunks with extensions and trailers",
      `${ok}Transfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n`,
      "hello",
    ],
    [
      "in chunks, which win over a length",
      `${ok}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nhello12345\r\n0\r\n\r\n`,
      "hello12345",
    ],
    ["after an interim response", `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 5\r\n\r\nhello`, "hello"],
    ["without a reason, by HTTP/1.0", "HTTP/1.0 200\r\n\r\nhello", "hello"],
    ["without a body", `${ok}Content-Length: 0\r\n\r\n`, ""],
  ])("%s", async (_, text, body) => {
    for (const size of [1, 2, 3, 7, text.length]) expect(await read(text, size)).toMatchObject({ status: 200, body });
  });

  test("of status 204 has no body, whatever follows", async () => {
    expect(await read("HTTP/1.1 204 No Content\r\n\r\nno", 4)).toMatchObject({ status: 204, body: "" });
  });

  test("tells its fields by lower-case name, the first of a repeated one", async () => {
    const { headers } = await read(`${ok}Content-TYPE:  a/b; c=d \r\nX: 1\r\nx: 2\r\nContent-Length: 0\r\n\r\n`, 5);
    expect([headers.get("content-type"), headers.get("x")]).toEqual(["a/b; c=d", "1"]);
  });
});

test.each<[string, string, MessageFault]>([
  ["nothing", "", "truncated"],
  ["half a head", `${ok}Content-Le`, "truncated"],
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed-header"],
  ["another version", "HTTP/2 200\r\n\r\n", "malformed-header"],
  ["a status that is none", "HTTP/1.1 999 Odd\r\n\r\n", "malformed-header"],
  ["a field without a colon", `${ok}odd\r\n\r\n`, "malformed-header"],
  ["a head without an end", `${ok}X: ${"y".repeat(70_000)}`, "header-too-large"],
  ["a length that is no number", `${ok}Content-Length: 0x10\r\n\r\n`, "malformed-header"],
  ["a coding that is not known", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, "malformed-header"],
  ["a body that is too short", `${ok}Content-Length: 9\r\n\r\nshort`, "truncated"],
  ["chunks that end early", `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, "truncated"],
  ["chunks without the last", `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n`, "truncated"],
  [
    "a chunk size that is no number",
    `${ok}Transfer-Encoding: chunked\r\n\r\n-3\r\nhel\r\n0\r\n\r\n`,
    "malformed-header",
  ],
  ["a chunk longer than its size", `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`, "length-mismatch"],
  [
    "trailers without an end",
    `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n${"X: y\r\n".repeat(200)}`,
    "header-too-large",
  ],
])("%s is a typed error", async (_, text, fault) => {
  for (const size of [3, 4096]) {
    const error = await read(text, size).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MalformedMessageError);
    expect(error).toMatchObject({ fault });
  }
});
