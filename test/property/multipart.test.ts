import fc from "fast-check";
import { expect, test } from "vitest";
import { parseMultipart } from "../../server/dicomweb/multipart.ts";
import { collect } from "../fixtures/collect.ts";

const boundary = "--x";

/** Bytes that look like delimiters more often than chance would have it. */
const body = fc.array(fc.oneof(fc.constantFrom(13, 10, 45, 120, 32), fc.nat(255)), { maxLength: 200 });

const message = fc.array(fc.record({ bytes: body, sized: fc.boolean() }), { maxLength: 6 });

test("whatever the bytes, their headers and the cuts between chunks: the parts come out as they went in", async () => {
  await fc.assert(
    fc.asyncProperty(message, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), async (parts, cuts) => {
      fc.pre(parts.every(({ bytes, sized }) => sized || !Buffer.from(bytes).includes(`--${boundary}`)));
      const encoded = Buffer.concat([
        ...parts.flatMap(({ bytes, sized }) => [
          Buffer.from(`--${boundary}\r\n${sized ? `Content-Length: ${bytes.length}\r\n` : ""}\r\n`),
          Buffer.from(bytes),
          Buffer.from("\r\n"),
        ]),
        Buffer.from(`--${boundary}--`),
      ]);
      const came = await collect(parseMultipart(cut(encoded, cuts), { boundary, maxPartBytes: 1000 }));
      expect(came.map((part) => [...part.body])).toEqual(parts.map(({ bytes }) => bytes));
    }),
    { numRuns: 300 },
  );
});

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
