import { ByteInput, MalformedMessageError } from "./byte-input.ts";
import { contentLength, parseFields } from "./http-message.ts";

export interface MultipartPart {
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Alone in its own buffer: keeping it keeps nothing else in memory. */
  readonly body: Uint8Array;
}

export interface MultipartOptions {
  readonly boundary: string;
  readonly maxPartBytes: number;
}

const MAX_PREAMBLE_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * The parts of a multipart body (RFC 2046 section 5.1), each as soon as it is complete. Parts with Content-Length are
 * taken by it, their bytes copied once; the others reach to the next boundary. At most one part and one chunk are in
 * memory. What follows the closing boundary is not read.
 * @throws MalformedMessageError; and as `chunks` does
 */
export async function* parseMultipart(
  chunks: AsyncIterable<Uint8Array>,
  { boundary, maxPartBytes }: MultipartOptions,
): AsyncGenerator<MultipartPart, void> {
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const source = chunks[Symbol.asyncIterator]();
  try {
    // The first delimiter has no line break before it where there is no preamble.
    const input = new ByteInput(source, Buffer.from("\r\n"));
    await input.takeUntil(delimiter, MAX_PREAMBLE_BYTES, "preamble-too-large");
    while (!(await input.startsWith("--"))) {
      const headers = parseHeaders(await input.takeText("\r\n\r\n", MAX_HEADER_BYTES));
      const length = contentLength(headers);
      if (length !== undefined && length > maxPartBytes) throw new MalformedMessageError("part-too-large");
      const body =
        length === undefined
          ? await input.takeUntil(delimiter, maxPartBytes, "part-too-large")
          : await input.takeExactly(length, delimiter);
      yield { headers, body };
    }
  } finally {
    await source.return?.();
  }
}

/** The block begins with the rest of the delimiter's line, which may hold white space only. */
function parseHeaders(block: string): ReadonlyMap<string, string> {
  const [rest = "", ...lines] = block.split("\r\n");
  if (rest.trim() !== "") throw new MalformedMessageError("malformed-header");
  return parseFields(lines);
}
