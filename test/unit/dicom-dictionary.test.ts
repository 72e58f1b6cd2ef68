import { expect, test } from "vitest";
import table from "#converters/dicom/dictionary.generated.json" with { type: "json" };
import { entryOfKeyword, entryOfTag } from "#converters/dicom/dictionary.ts";
import { dictionaryTable } from "../../bin/generate-dictionary.ts";

test("the table is what dcmjs's dictionary says now (node bin/generate-dictionary.ts writes it)", () => {
  expect(table).toEqual(dictionaryTable());
});

test("an element is found by its tag and by its keyword", () => {
  const patientId = { tag: 0x00100020, keyword: "PatientID", vr: "LO", signedByPixelRepresentation: false };
  expect(entryOfTag(0x00100020)).toEqual(patientId);
  expect(entryOfKeyword("PatientID")).toEqual(patientId);
  expect(entryOfKeyword("SmallestImagePixelValue")).toMatchObject({ vr: "US", signedByPixelRepresentation: true });
  expect(entryOfTag(0x60023000)?.keyword).toBe(entryOfTag(0x60003000)?.keyword);
  expect(entryOfTag(0x00091001)).toBeUndefined();
});
