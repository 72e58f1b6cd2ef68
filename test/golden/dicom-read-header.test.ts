import { readFileSync } from "node:fs";
import { data as dcmjs, log } from "dcmjs";
import { expect, test } from "vitest";
import { type DataSet, readPart10 } from "#converters/dicom/index.ts";
import { dataPath, describeWithData, hasSharedData, readSeries } from "../fixtures/shared-data.ts";

const paths: readonly string[] = hasSharedData
  ? Object.keys(JSON.parse(readFileSync(dataPath("expected.json"), "utf8")).series)
  : [];

describeWithData("headers of real files", () => {
  test.each(paths)("%s says what dcmjs reads in it", (path) => {
    log.setLevel("silent");
    const [file = new Uint8Array(0)] = readSeries(path);
    const { dict } = dcmjs.DicomMessage.readFile(file.slice().buffer);
    const found = comparable(readPart10(file).dataSet);
    const expected = comparable(dcmjs.DicomMetaDictionary.naturalizeDataset(dict));
    expect(Object.keys(found).length).toBeGreaterThan(10);
    expect(found).toEqual(expected);
  });
});

/**
 * dcmjs names UTF-8 as the character set, gives tags as numbers, keeps pixel data among the elements, takes a private
 * element of group 7FE1 for variable pixel data, and reads a signed pixel value in implicit VR as an unsigned one.
 */
const TOLD_OTHERWISE = [
  "SpecificCharacterSet",
  "DimensionIndexPointer",
  "FunctionalGroupPointer",
  "PixelData",
  "RETIRED_VariablePixelData",
  "SmallestImagePixelValue",
];

/** Both readings in one form: standard elements only, values as lists, nothing empty, text without padding. */
function comparable(dataSet: DataSet | Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(dataSet).flatMap(([keyword, value]) => {
    const isStandard = /^[A-Z][A-Za-z]/.test(keyword) && !/^[0-9A-F]{8}$/.test(keyword);
    if (!isStandard || TOLD_OTHERWISE.includes(keyword)) return [];
    const values = listOf(value).flatMap(plain);
    return values.length === 0 ? [] : [[keyword, values] as const];
  });
  return Object.fromEntries(entries);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? [...value] : [value];
}

function plain(value: unknown): readonly unknown[] {
  if (value === undefined || value === null || value === "") return [];
  if (typeof value === "string") return [value.trim()];
  if (typeof value !== "object") return [value];
  if (value instanceof Uint8Array) return [value.length];
  if (value instanceof ArrayBuffer) return [value.byteLength];
  if ("Alphabetic" in value) return [String(value.Alphabetic).trim()];
  return [comparable(value as Record<string, unknown>)];
}
