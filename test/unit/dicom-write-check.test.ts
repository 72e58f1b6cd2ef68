import { describe, expect, test } from "vitest";
import { checkSeg, encodeSeg, type SegInput } from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { ellipsoid, geometryOf, segInput, segmentOf } from "../fixtures/seg-cases.ts";

const size: Vec3 = [5, 7, 4];
const input = segInput(geometryOf("oblique", size), [
  segmentOf("skull", ellipsoid(size, [0.5, 0.5, 0.5], 0.4), 1),
  segmentOf("fat", ellipsoid(size, [0.3, 0.5, 0.6], 0.25), 2),
]);

/** The expectation changed after the SEG was written: as if the SEG were wrong in that one respect. */
function expecting(change: Partial<SegInput>): SegInput {
  return { ...input, ...change };
}

describe("the self-check of a SEG", () => {
  test("accepts what was written", () => {
    expect(() => checkSeg(encodeSeg(input), input)).not.toThrow();
    const withoutSources = expecting({ sources: [] });
    expect(() => checkSeg(encodeSeg(withoutSources), withoutSources)).not.toThrow();
  });

  test("finds any single voxel that differs", () => {
    const seg = encodeSeg(input);
    const { mask } = input.segments[0]!;
    for (let n = 0; n < size[0] * size[1] * size[2]; n++) {
      const bits = mask.bits.slice();
      bits[n >>> 3]! ^= 1 << (n & 7);
      const segments = [{ ...input.segments[0]!, mask: { size, bits } }, input.segments[1]!];
      expect(() => checkSeg(seg, expecting({ segments })), `voxel ${n}`).toThrow(/self-check/);
    }
  });

  test("finds a bit that flipped in the pixel data", () => {
    const seg = encodeSeg(input).slice();
    const at = seg.length - 3;
    seg[at]! ^= 0x10;
    expect(() => checkSeg(seg, input)).toThrow(/other voxels/);
  });

  test.each<[string, Partial<SegInput>, RegExp]>([
    [
      "a frame that lies elsewhere",
      {
        sources: input.sources.map((source) => ({
          ...source,
          positionLps: [source.positionLps[0] + 0.01, source.positionLps[1], source.positionLps[2]] as const,
        })),
      },
      /lies elsewhere/,
    ],
    [
      "a reference to another instance",
      { sources: input.sources.map((source) => ({ ...source, sopInstanceUid: `${source.sopInstanceUid}9` })) },
      /refer/,
    ],
    ["segments in another order", { segments: input.segments.toReversed() }, /segment 1/],
    ["another instance UID", { uids: { ...input.uids, instance: "2.25.3" } }, /SOP Instance UID/],
    ["another series UID", { uids: { ...input.uids, series: "2.25.3" } }, /Series Instance UID/],
    ["a missing segment", { segments: input.segments.slice(0, 1) }, /number of segments/],
    [
      "another frame of reference",
      { geometry: { ...input.geometry, frameOfReferenceUid: "2.25.4" } },
      /Frame of Reference/,
    ],
  ])("finds %s", (_what, change, message) => {
    expect(() => checkSeg(encodeSeg(input), expecting(change))).toThrow(message);
  });
});
