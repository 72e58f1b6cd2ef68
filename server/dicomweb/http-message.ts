import { type ByteInput, MalformedMessageError } from "./byte-input.ts";

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; of a repeated one, the first. */
  readonly headers: ReadonlyMap<string, string>;
}

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 4 * 1024;
const MAX_TRAILER_LINES = 100;

/** The head of an HTTP/1.1 response (RFC 9112 sections 4 and 5); interim responses are skipped. @throws MalformedMessageError */
export async function readResponseHead(input: ByteInput): Promise<ResponseHead> {
  for (;;) {
    const [statusLine = "", ...lines] = (await input.takeText("\r\n\r\n", MAX_HEAD_BYTES)).split("\r\n");
    const status = Number(/^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) throw new MalformedMessageError("malformed-header");
    if (status >= 200) return { status, headers: parseFields(lines) };
  }
}

/** Fields of a header block. @throws MalformedMessageError */
export function parseFields(lines: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new MalformedMessageError("malformed-header");
    const name = line.slice(0, colon).trim().toLowerCase();
    if (!fields.has(name)) fields.set(name, line.slice(colon + 1).trim());
  }
  return fields;
}

/** Content-Length, where there is one. @throws MalformedMessageError where it is no number */
export function contentLength(fields: ReadonlyMap<string, string>): number | undefined {
  const text = fields.get("content-length");
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new MalformedMessageError("malformed-header");
  return Number(text);
}

/**
 * The body of a response to GET, by the rules of RFC 9112 section 6.3; a chunk is valid until the next one is asked for.
 * @throws MalformedMessageError where it ends too early
 */
export async function* responseBody(
  { status, headers }: ResponseHead,
  input: ByteInput,
): AsyncGenerator<Uint8Array, void> {
  if (status === 204 || status === 304) return;
  const coding = headers.get("transfer-encoding")?.toLowerCase();
  const length = contentLength(headers);
  if (coding !== undefined) {
    if (coding !== "chunked") throw new MalformedMessageError("malformed-header");
    yield* chunkedBody(input);
  } else if (length !== undefined) {
    yield* exactly(length, input);
  } else {
    for (let some = await input.takeSome(Infinity); some; some = await input.takeSome(Infinity)) yield some;
  }
}

/** RFC 9112 section 7.1. */
async function* chunkedBody(input: ByteInput): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const size = /^([0-9A-Fa-f]{1,12})[ \t]*(?:;|$)/.exec(await input.takeText("\r\n", MAX_LINE_BYTES))?.[1];
    if (size === undefined) throw new MalformedMessageError("malformed-header");
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    yield* exactly(length, input);
    if ((await input.takeText("\r\n", MAX_LINE_BYTES)) !== "") throw new MalformedMessageError("length-mismatch");
  }
  for (let lines = 0; (await input.takeText("\r\n", MAX_LINE_BYTES)) !== ""; lines++) {
    if (lines > MAX_TRAILER_LINES) throw new MalformedMessageError("header-too-large");
  }
}

async function* exactly(length: number, input: ByteInput): AsyncGenerator<Uint8Array, void> {
  for (let left = length; left > 0; ) {
    const some = await input.takeSome(left);
    if (!some) throw new MalformedMessageError("truncated");
    left -= some.length;
    yield some;
  }
}
