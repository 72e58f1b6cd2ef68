import { describe, expect, test } from "vitest";
import { MalformedMessageError, type MessageFault } from "../../server/dicomweb/byte-input.ts";
import { parseMediaType } from "../../server/dicomweb/media-type.ts";
import { parseMultipart } from "../../server/dicomweb/multipart.ts";
import { collect } from "../fixtures/collect.ts";

const boundary = "b0undary";
const maxPartBytes = 1000;

/** The text as one chunk, or as chunks of `size` bytes. */
async function* chunksOf(text: string, size = text.length): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function partsOf(text: string, size?: number): Promise<string[]> {
  const parts = await collect(parseMultipart(chunksOf(text, size), { boundary, maxPartBytes }));
  return parts.map(({ body }) => Buffer.from(body).toString("latin1"));
}

const part = (body: string, headers = "Content-Type: application/dicom\r\n") =>
  `--${boundary}\r\n${headers}\r\n${body}\r\n`;
const sized = (body: string, declared = body.length) => part(body, `Content-Length: ${declared}\r\n`);
const closing = `--${boundary}--`;

describe("parseMultipart", () => {
  test.each([
    ["parts with Content-Length", sized("one") + sized("two") + closing, ["one", "two"]],
    ["parts without", part("one") + part("two") + closing, ["one", "two"]],
    ["a mixture", sized("one") + part("two") + sized("three") + closing, ["one", "two", "three"]],
    ["a preamble and an epilogue", `to be ignored\r\n${part("one")}${closing}\r\nto be ignored`, ["one"]],
    ["a line break before the first delimiter", `\r\n${part("one")}${closing}`, ["one"]],
    ["white space behind a delimiter", `--${boundary} \t\r\n\r\none\r\n${closing}`, ["one"]],
    ["a part without headers", part("one", "") + closing, ["one"]],
    ["empty parts", part("") + sized("") + closing, ["", ""]],
    ["header names in any case", part("one", "cOnTeNt-LeNgTh:3\r\n") + closing, ["one"]],
    ["line breaks and dashes as data", part("\r\n--\r\n\r\n--b0\r\n") + closing, ["\r\n--\r\n\r\n--b0\r\n"]],
    ["the delimiter as data of known length", sized(`a\r\n--${boundary}\r\nb`) + closing, [`a\r\n--${boundary}\r\nb`]],
    ["a longer boundary that begins like ours", part(`\r\n--${boundary}2\r\nx`) + closing, [`\r\n--${boundary}2\r\nx`]],
    ["no part at all", closing, []],
  ])("%s, cut anywhere", async (_, text, expected) => {
    for (const size of [1, 2, 3, 5, 8, 13, text.length]) expect(await partsOf(text, size)).toEqual(expected);
  });

  test.each<[string, string, MessageFault]>([
    ["nothing", "", "truncated"],
    ["no delimiter at all", "something else", "truncated"],
    ["no closing delimiter", sized("one"), "truncated"],
    ["an end in the middle of a delimiter", `${sized("one")}--${boundary}`, "truncated"],
    ["an end in the middle of a header", `--${boundary}\r\nContent-Le`, "truncated"],
    ["an end in the middle of a sized part", `--${boundary}\r\nContent-Length: 9\r\n\r\nshort`, "truncated"],
    ["an end in the middle of a part", `--${boundary}\r\n\r\nshort`, "truncated"],
    ["a part longer than it says", sized("longer than three", 3) + closing, "length-mismatch"],
    ["a part shorter than it says", sized("one", 9) + part("two") + closing, "length-mismatch"],
    ["a header without an end", `--${boundary}\r\nX: ${"y".repeat(20_000)}`, "header-too-large"],
    ["a huge header with an end", `--${boundary}\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, "header-too-large"],
    ["a header line without a colon", part("one", "no colon\r\n") + closing, "malformed-header"],
    ["a length that is no number", part("one", "Content-Length: -3\r\n") + closing, "malformed-header"],
    ["two lengths in one", part("one", "Content-Length: 3, 3\r\n") + closing, "malformed-header"],
    ["a part that says it is too large", sized("one", 1001), "part-too-large"],
    ["a length beyond any memory", part("one", "Content-Length: 999999999999999\r\n"), "part-too-large"],
    ["a part that becomes too large", part("x".repeat(1001)) + closing, "part-too-large"],
    ["a preamble without an end", "x".repeat(70_000), "preamble-too-large"],
  ])("%s is a typed error", async (_, text, fault) => {
    for (const size of [7, 4096]) {
      const error = await partsOf(text, size).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MalformedMessageError);
      expect(error).toMatchObject({ fault });
    }
  });

  test("a part comes as soon as it is complete, not when the next chunk comes", async () => {
    const { promise: never } = Promise.withResolvers<void>();
    async function* stalled() {
      yield Buffer.from(`${sized("one")}--${boundary}\r\n`);
      await never;
    }
    const parts = parseMultipart(stalled(), { boundary, maxPartBytes });
    expect(Buffer.from((await parts.next()).value?.body ?? "").toString()).toBe("one");
  });

  test("each part has a buffer of its own, with or without a length", async () => {
    for await (const { body } of parseMultipart(chunksOf(sized("one") + part("two") + closing), {
      boundary,
      maxPartBytes,
    })) {
      expect(body.buffer.byteLength).toBe(3);
    }
  });

  test.each([
    ["leaving early", sized("one") + sized("two") + closing],
    ["a malformed body", sized("one", 2) + closing],
    ["the closing delimiter", `${sized("one") + closing}epilogue, and more of it`],
  ])("%s ends the stream of chunks", async (_, text) => {
    let ended = false;
    async function* watched() {
      try {
        yield* chunksOf(text, 10);
      } finally {
        ended = true;
      }
    }
    const parts = parseMultipart(watched(), { boundary, maxPartBytes });
    await parts.next().catch(() => {});
    await parts.return();
    expect(ended).toBe(true);
  });
});

describe("parseMediaType", () => {
  test.each([
    ["multipart/related; boundary=abc", "abc"],
    ['Multipart/Related; type="application/dicom"; Boundary="a b:c"', "a b:c"],
    ['multipart/related;boundary="a\\"b"', 'a"b'],
    ['multipart/related; type="x; boundary=no"; boundary=yes', "yes"],
    ["multipart/related ; boundary = spaced ", "spaced"],
    ["multipart/related", undefined],
  ])("%s", (header, expected) => {
    const { type, parameters } = parseMediaType(header);
    expect(type).toBe("multipart/related");
    expect(parameters.get("boundary")).toBe(expected);
  });

  test("an absent header has no type", () => {
    expect(parseMediaType(undefined)).toEqual({ type: "", parameters: new Map() });
  });
});
