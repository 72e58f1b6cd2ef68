import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { axial, type Changes, columns, ctSlice, rows, storedValue } from "../fixtures/ct-slices.ts";
import { element, type Plain, type RawElement, rawElement } from "../fixtures/dicom-file.ts";

const MR: Changes = {
  SOPClassUID: "1.2.840.10008.5.1.4.1.1.4",
  Modality: "MR",
  RescaleSlope: undefined,
  RescaleIntercept: undefined,
};
const LUT_DATA = 0x00283006;

/** One for stored values 101, 102 and 103. */
function lut(changes: { readonly descriptor?: readonly number[]; readonly data?: RawElement; readonly type?: string }) {
  const { descriptor = [3, 101, 16], data = rawElement(LUT_DATA, "US", [7, 70, 65_535]), type = "US" } = changes;
  return { ModalityLUTSequence: [[rawElement(0x00283002, "US", descriptor), data, element("ModalityLUTType", type)]] };
}

async function decoded(changes: Readonly<Record<string, Plain | undefined>>) {
  const files = Array.from({ length: axial.slices }, (_, k) => ctSlice(k, axial, changes));
  return await decodeSeries(files);
}

/** The value of all of slice k but its first voxel. */
async function valuesOf(changes: Readonly<Record<string, Plain | undefined>>): Promise<number[]> {
  const { volume } = await decoded(changes);
  return Array.from({ length: axial.slices }, (_, k) => volume.voxels[k * rows * columns + 1]!);
}

describe("a Modality LUT", () => {
  test("gives each stored value its entry, and what lies beyond the entry at that end", async () => {
    expect(storedValue(0)).toBe(100);
    const { volume } = await decoded({ ...MR, ...lut({}) });
    expect(await valuesOf({ ...MR, ...lut({}) })).toEqual([7, 7, 70, 65_535, 65_535, 65_535]);
    expect(volume.voxels[0]).toBe(65_535);
    expect(volume.unit).toBe("arbitrary");
  });

  test.each([
    ["words in bytes of OW", rawElement(LUT_DATA, "OW", Uint8Array.from([7, 0, 70, 0, 255, 0]))],
    ["bytes in words of US", rawElement(LUT_DATA, "US", [7, 70, 255])],
    ["bytes close together", rawElement(LUT_DATA, "OW", Uint8Array.from([7, 70, 255, 0]))],
  ])("of 8 bits may be written as %s", async (_, data) => {
    expect(await valuesOf({ ...MR, ...lut({ descriptor: [3, 101, 8], data }) })).toEqual([7, 7, 70, 255, 255, 255]);
  });

  test("names its first stored value in their sign", async () => {
    const signed = { ...MR, PixelRepresentation: 1, ...lut({ descriptor: [3, 0x10000 - 2, 16] }) };
    expect(new Set(await valuesOf(signed))).toEqual(new Set([65_535]));
  });

  test("gives CT its Hounsfield units where its type says so, and no others", async () => {
    const plain = { RescaleSlope: undefined, RescaleIntercept: undefined };
    expect((await decoded({ ...plain, ...lut({ type: "HU" }) })).volume.unit).toBe("HU");
    expect((await decoded({ ...plain, ...lut({ type: "OD" }) })).volume.unit).toBe("arbitrary");
  });

  test("gives way to a Real World Value Mapping, which is of stored values too", async () => {
    const mapping = [
      element("RealWorldValueFirstValueMapped", 0),
      element("RealWorldValueLastValueMapped", 4095),
      element("RealWorldValueSlope", 2),
      element("RealWorldValueIntercept", 0),
      element("MeasurementUnitsCodeSequence", [
        [element("CodeValue", "ms"), element("CodingSchemeDesignator", "UCUM"), element("CodeMeaning", "ms")],
      ]),
    ];
    const values = await valuesOf({ ...MR, ...lut({}), RealWorldValueMappingSequence: [mapping] });
    expect(values).toEqual([200, 202, 204, 206, 208, 210]);
  });

  test.each<[string, Readonly<Record<string, Plain | undefined>>]>([
    ["a slope beside it", { ...MR, RescaleSlope: "1", ...lut({}) }],
    ["fewer entries than it says", { ...MR, ...lut({ descriptor: [4, 101, 16] }) }],
    ["entries of no known size", { ...MR, ...lut({ descriptor: [3, 101, 32] }) }],
    ["no size of its entries", { ...MR, ...lut({ descriptor: [3, 101] }) }],
  ])("with %s is refused", async (_, changes) => {
    await expect(decoded(changes)).rejects.toMatchObject({ reason: "unreadable-instance" });
  });
});
