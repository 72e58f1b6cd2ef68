import { expect, test } from "vitest";
import type { Voxels } from "#converters/geometry/index.ts";
import { numbersOnly } from "#converters/nifti/index.ts";

const volume = (voxels: Voxels) => ({
  geometry: {
    size: [voxels.length, 1, 1],
    ijkToLps: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    frameOfReferenceUid: "1.2",
  } as const,
  voxels,
  unit: "HU" as const,
  modality: "CT",
  sources: [],
});

test("an image of numbers is itself", () => {
  for (const voxels of [Int16Array.of(-5, 3), Float32Array.of(-5, 3)]) {
    const given = volume(voxels);
    expect(numbersOnly(given)).toEqual({ volume: given, notes: [] });
    expect(numbersOnly(given).volume).toBe(given);
  }
});

test("what is no number becomes the lowest value of a copy, and a note counts it", () => {
  const given = volume(Float32Array.of(40, Number.NaN, -900, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY));
  const { volume: repaired, notes } = numbersOnly(given);
  expect([...repaired.voxels]).toEqual([40, -900, -900, -900, -900]);
  expect(notes).toEqual(["3 voxels are no numbers (NaN or infinite): taken as the image's lowest value, -900."]);
  expect(given.voxels[1]).toBeNaN();
});

test("an image without a number is refused", () => {
  expect(() => numbersOnly(volume(Float64Array.of(Number.NaN, Number.NaN)))).toThrow(
    "No voxel of the image is a number",
  );
});
