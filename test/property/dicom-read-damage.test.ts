import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSeries, readPart10 } from "#converters/dicom/index.ts";
import { DomainError } from "#converters/errors.ts";
import { ctElements, ctSeries, ctSlice } from "../fixtures/ct-slices.ts";
import { element, part10 } from "../fixtures/dicom-file.ts";

const files = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"].flatMap(
  (transferSyntax) =>
    [false, true].map((undefinedLengths) =>
      part10(
        [
          ...ctElements(1),
          element("ReferencedImageSequence", [[element("ReferencedSOPInstanceUID", "2.25.9")], []]),
          element("SpecificCharacterSet", "\\ISO 2022 IR 87"),
        ],
        transferSyntax,
        undefinedLengths,
      ),
    ),
);

const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), insert: fc.boolean() }), {
  minLength: 1,
  maxLength: 8,
});

function damaged(file: Uint8Array, changes: readonly { at: number; byte: number; insert: boolean }[]): Uint8Array {
  const bytes = [...file];
  for (const { at, byte, insert } of changes) bytes.splice(128 + (at % (bytes.length - 128)), insert ? 0 : 1, byte);
  return Uint8Array.from(bytes);
}

function isTyped(error: unknown): boolean {
  return error instanceof DomainError;
}

test("a file cut at any byte is read or refused by type", () => {
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.nat(), (file, at) => {
      try {
        readPart10(file.slice(0, at % file.length));
      } catch (error) {
        expect(error).toSatisfy(isTyped);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a file with any bytes changed or slipped in is read or refused by type", () => {
  fc.assert(
    fc.property(fc.constantFrom(...files), damage, (file, changes) => {
      try {
        readPart10(damaged(file, changes));
      } catch (error) {
        expect(error).toSatisfy(isTyped);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a series with one damaged instance is decoded or refused by type", async () => {
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const outcome = await decodeSeries([...ctSeries().slice(0, 3), damaged(ctSlice(3), changes)]).catch(
        (error: unknown) => error,
      );
      expect(outcome).toSatisfy((result) => !(result instanceof Error) || isTyped(result));
    }),
    { numRuns: 500 },
  );
});
