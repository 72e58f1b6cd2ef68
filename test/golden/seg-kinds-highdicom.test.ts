import { beforeAll, expect, test } from "vitest";
import { encodeSeg, type SegKind } from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { type BitVolume, readSlice } from "#converters/mask/index.ts";
import { describeWithPython } from "../fixtures/python-checks.ts";
import { readByPython } from "../fixtures/python-files.ts";
import {
  exclusiveSegments,
  fractionalSegments,
  geometryOf,
  segInput,
  type WholeInput,
  type WholeSegment,
} from "../fixtures/seg-cases.ts";

/** What test/fixtures/read_seg_kinds.py prints. */
interface SegByHighdicom {
  readonly type: string;
  readonly fractionalType: string | null;
  readonly paddingValue: number | null;
  readonly transferSyntax: string;
  readonly sopClass: string;
  readonly segmentNumbers: readonly number[];
  readonly items: readonly number[];
  readonly dimensions: readonly string[];
  readonly bits: number;
  readonly shape: readonly [instances: number, rows: number, columns: number, segments: number];
  readonly pixels: string;
  /** The numbers of a label map's pixels; its empty last slice is not there. */
  readonly labels: readonly number[] | null;
  readonly positions: readonly Vec3[];
  readonly frameSources: readonly string[];
}

const size: Vec3 = [5, 7, 6];
const geometry = geometryOf("oblique", size);
const CASES = (["fractional", "labelmap"] as const).flatMap((kind) =>
  (["none", "rle", "deflated"] as const).map((compression) => {
    const segments = kind === "fractional" ? fractionalSegments(size) : exclusiveSegments(size, 3);
    return { kind, compression, input: { ...segInput(geometry, segments), kind, compression } };
  }),
);
const many: WholeInput = {
  ...segInput(geometryOf("axial", [40, 30, 2]), exclusiveSegments([40, 30, 2], 300)),
  kind: "labelmap",
};

const TRANSFER_SYNTAX = { none: "1.2.840.10008.1.2.1", rle: "1.2.840.10008.1.2.5", deflated: "1.2.840.10008.1.2.1.99" };

describeWithPython("highdicom reads our SEG of every kind", () => {
  let answers: readonly SegByHighdicom[] = [];
  beforeAll(() => {
    const inputs = [...CASES.map(({ input }) => input), many, { ...many, compression: "rle" as const }];
    answers = readByPython(
      "read_seg_kinds.py",
      inputs.map((input) => ({
        part10: encodeSeg(input),
        sources: input.sources.map(({ sopInstanceUid }) => sopInstanceUid),
      })),
    ) as readonly SegByHighdicom[];
  });

  test.each(CASES.map((given, n) => ({ ...given, n })))(
    "$kind, compression $compression: the same pixels, by source",
    ({ kind, compression, input, n }) => {
      const read = answers[n]!;
      expect(read.type.toLowerCase()).toBe(kind);
      expect(read.transferSyntax).toBe(TRANSFER_SYNTAX[compression]);
      expect(read.segmentNumbers).toEqual([1, 2, 3]);
      expect(read.shape).toEqual([size[2], size[1], size[0], 3]);
      const pixels = Buffer.from(read.pixels, "base64");
      for (let k = 0, at = 0; k < size[2]; k++)
        for (let p = 0; p < size[0] * size[1]; p++)
          for (const segment of input.segments) expect(pixels[at++]).toBe(written(kind, segment, k, p));
      for (const [f, uid] of read.frameSources.entries()) {
        const source = input.sources.find(({ sopInstanceUid }) => sopInstanceUid === uid)!;
        for (const axis of [0, 1, 2] as const)
          expect(read.positions[f]![axis]).toBeCloseTo(source.positionLps[axis], 6);
      }
    },
  );

  test("fractions are probabilities and segments are a dimension of them", () => {
    expect(answers[0]).toMatchObject({
      fractionalType: "PROBABILITY",
      bits: 8,
      dimensions: ["(0062,000B)", "(0020,0032)"],
    });
  });

  test("a label map has a SOP class of its own, a background, and positions as its only dimension", () => {
    const labelmap = answers[CASES.findIndex(({ kind }) => kind === "labelmap")]!;
    expect(labelmap).toMatchObject({
      sopClass: "1.2.840.10008.5.1.4.1.1.66.7",
      paddingValue: 0,
      items: [0, 1, 2, 3],
      dimensions: ["(0020,0032)"],
      bits: 8,
    });
  });

  test("a label map of 300 segments has 16 bits, and the same pixels packed or not", () => {
    const [plain, packed] = answers.slice(-2);
    expect(plain?.bits).toBe(16);
    expect(plain?.segmentNumbers).toHaveLength(300);
    expect(packed?.labels).toEqual(plain?.labels);
    const written = Array.from({ length: 1200 }, (_, p) => 1 + many.segments.findIndex(({ mask }) => bitAt(mask, p)));
    expect(plain?.labels).toEqual(written);
  });
});

function written(kind: SegKind, { mask, probabilities }: WholeSegment, k: number, pixel: number): number {
  if (probabilities !== undefined) return probabilities(k)?.[pixel] ?? 0;
  return readSlice(mask, k)[pixel]! * (kind === "fractional" ? 255 : 1);
}

function bitAt({ bits }: BitVolume, n: number): boolean {
  return ((bits[n >>> 3]! >>> (n & 7)) & 1) === 1;
}
