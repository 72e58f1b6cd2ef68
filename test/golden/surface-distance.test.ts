import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { voxelSizeMm } from "#converters/geometry/index.ts";
import { agreement } from "#converters/mask/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { AGREEMENT_CASES, type AgreementCase, bitsOf, gridOf } from "../fixtures/agreement-cases.ts";
import { dataPath, hasSharedData } from "../fixtures/shared-data.ts";
import { openSurfaceDistance, type TheirFigures } from "../fixtures/surface-distance.ts";

const surfaceDistance = openSurfaceDistance();

function ours({ size, spacingMm, toleranceMm, reference, prediction }: AgreementCase): TheirFigures {
  const found = agreement(bitsOf(size, reference), bitsOf(size, prediction), gridOf(size, spacingMm), toleranceMm);
  const figure = (value: number | undefined) => value ?? null;
  return {
    dice: figure(found.dice),
    surfaceDice: figure(found.surfaceDice),
    hd95Mm: found.hd95Mm === Number.POSITIVE_INFINITY ? "inf" : figure(found.hd95Mm),
  };
}

/** Experts' outlines of the hippocampus: head and body, the one against the other's shape moved by a voxel or two. */
function hippocampi(): AgreementCase[] {
  const folder = dataPath("nifti_hippocampus_msd", "labels");
  return readdirSync(folder).flatMap((file, n) => {
    const { geometry, voxels } = readNifti(readFileSync(`${folder}/${file}`));
    const label = (value: number) => Uint8Array.from(voxels, (voxel) => Number(voxel === value));
    const by = geometry.size[0] * (1 + (n % 2)) + (n % 3);
    const moved = new Uint8Array(voxels.length);
    moved.set(label(1).subarray(0, voxels.length - by), by);
    const common = { size: geometry.size, spacingMm: voxelSizeMm(geometry.ijkToLps), reference: label(1) };
    return [
      { name: `hippocampus ${n + 1}, moved`, ...common, toleranceMm: 1, prediction: moved },
      { name: `hippocampus ${n + 1}, its head and its body`, ...common, toleranceMm: 2, prediction: label(2) },
    ];
  });
}

describe.skipIf(surfaceDistance === undefined)("our metrics are those of PyPI's surface-distance", () => {
  const cases = [...AGREEMENT_CASES, ...(hasSharedData ? hippocampi() : [])];
  const theirs = surfaceDistance?.(cases) ?? [];

  test.each(cases.map((one, n) => ({ ...one, theirs: theirs[n]! })))("$name", ({ theirs: expected, ...one }) => {
    const found = ours(one);
    for (const figure of ["dice", "surfaceDice", "hd95Mm"] as const) {
      const value = expected[figure];
      if (typeof value === "number") expect(found[figure], figure).toBeCloseTo(value, 9);
      else expect(found[figure], figure).toBe(value);
    }
  });
});
