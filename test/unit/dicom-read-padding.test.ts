import { describe, expect, test } from "vitest";
import { decodeSeries, openSeries } from "#converters/dicom/index.ts";
import { axial, type Changes, columns, ctSlice, rows } from "../fixtures/ct-slices.ts";

const MR: Changes = { SOPClassUID: "1.2.840.10008.5.1.4.1.1.4", Modality: "MR", RescaleIntercept: "0" };

/** Slices of stored 40, but for their first pixels. */
function padded(first: readonly number[], changes: Changes): Uint8Array[] {
  const words = new Int16Array(rows * columns).fill(40);
  words.set(first);
  return Array.from({ length: axial.slices }, (_, k) =>
    ctSlice(k, axial, {
      BitsStored: 16,
      HighBit: 15,
      PixelRepresentation: 1,
      PixelData: new Uint8Array(words.buffer),
      ...changes,
    }),
  );
}

describe("padding outside the field of view", () => {
  const files = padded([-2000, -1999], { PixelPaddingValue: -2000 });

  test("keeps the files' value unless air is asked for", async () => {
    const { volume, notes } = await decodeSeries(files);
    expect([...volume.voxels.subarray(0, 3)]).toEqual([-3024, -3023, -984]);
    expect(notes).toEqual(["Padding outside the field of view keeps the value of the files, -3024."]);
  });

  test("becomes air of -1000 HU in every slice, and nothing else does", async () => {
    const { volume, notes } = await decodeSeries(files, { padding: "air" });
    for (let k = 0; k < axial.slices; k++) {
      const start = k * rows * columns;
      expect([...volume.voxels.subarray(start, start + 3)]).toEqual([-1000, -3023, -984]);
    }
    expect(notes).toEqual(["Padding outside the field of view (-3024) was set to air, -1000 HU."]);
  });

  test("is the same slice by slice", async () => {
    const whole = await decodeSeries(files, { padding: "air" });
    const streamed = new Int16Array(whole.volume.voxels.length);
    const series = await openSeries(files, { padding: "air" });
    const notes = await series.decodeSlices?.((k, values) => streamed.set(values, k * values.length));
    expect(streamed).toEqual(whole.volume.voxels);
    expect(notes).toEqual(whole.notes);
  });

  test.each([
    ["ascending", { PixelPaddingValue: -2000, PixelPaddingRangeLimit: -1990 }],
    ["descending", { PixelPaddingValue: -1990, PixelPaddingRangeLimit: -2000 }],
    ["falling with a negative slope", { PixelPaddingValue: -2000, PixelPaddingRangeLimit: -1990, RescaleSlope: "-1" }],
  ])("is a range with both its ends: %s", async (_, changes) => {
    const range = padded([-2001, -2000, -1995, -1990, -1989], changes);
    const plain = await decodeSeries(range);
    const { volume } = await decodeSeries(range, { padding: "air" });
    const [below, , , , above] = plain.volume.voxels;
    expect([...volume.voxels.subarray(0, 5)]).toEqual([below, -1000, -1000, -1000, above]);
  });

  test("is found by its stored value where the slope is no whole number", async () => {
    const { volume } = await decodeSeries(
      padded([-1999, -2000], { PixelPaddingValue: -2000, RescaleSlope: "0.1", RescaleIntercept: "-1024.3" }),
      { padding: "air" },
    );
    expect(volume.voxels[0]).toBeCloseTo(-1224.2, 3);
    expect(volume.voxels[1]).toBe(-1000);
  });

  test("of unsigned files is read without a sign whatever its VR says", async () => {
    const { volume } = await decodeSeries(
      padded([-2000], { PixelRepresentation: 0, PixelPaddingValue: -2000, RescaleIntercept: "0" }),
      { padding: "air" },
    );
    expect([...volume.voxels.subarray(0, 2)]).toEqual([-1000, 40]);
  });

  test("has no signal in MR", async () => {
    const { volume, notes } = await decodeSeries(padded([-2000], { ...MR, PixelPaddingValue: -2000 }), {
      padding: "air",
    });
    expect(volume.voxels[0]).toBe(0);
    expect(notes).toEqual(["Padding outside the field of view (-2000) was set to air, 0."]);
  });

  test("stays where values are of no known unit, and the answer says so", async () => {
    const { volume, notes } = await decodeSeries(padded([-2000], { RescaleType: "Z_EFF", PixelPaddingValue: -2000 }), {
      padding: "air",
    });
    expect(volume.voxels[0]).toBe(-3024);
    expect(notes.join()).toContain("keeps the value");
  });

  test("that no voxel has is not spoken of", async () => {
    const unused = padded([], { PixelPaddingValue: -2000 });
    expect((await decodeSeries(unused)).notes).toEqual([]);
    expect((await decodeSeries(unused, { padding: "air" })).notes).toEqual([]);
  });
});
