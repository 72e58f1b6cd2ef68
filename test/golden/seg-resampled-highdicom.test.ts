import { beforeAll, expect, test } from "vitest";
import { decodeSeries, encodeSeg, maskOnSlices, type SegKind } from "#converters/dicom/index.ts";
import { transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import { createBitVolume, unpackBits } from "#converters/mask/index.ts";
import { describeWithPython } from "../fixtures/python-checks.ts";
import { readByPython } from "../fixtures/python-files.ts";
import { segInput, segmentOf } from "../fixtures/seg-cases.ts";
import { UNEVEN, unevenSeries } from "../fixtures/uneven-series.ts";

/** What test/fixtures/read_seg_kinds.py prints, as far as it is used here. */
interface SegByHighdicom {
  readonly shape: readonly [instances: number, rows: number, columns: number, segments: number];
  readonly pixels: string;
  readonly frameSources: readonly string[];
  readonly positions: readonly Vec3[];
}

const CASES = (Object.keys(UNEVEN) as (keyof typeof UNEVEN)[]).flatMap((slices, n) =>
  (["binary", "fractional", "labelmap"] as const).map((kind) => ({ slices, kind, id: n + 1 })),
);

async function written({ slices, id }: (typeof CASES)[number], kind: SegKind) {
  const given = unevenSeries(UNEVEN[slices], id);
  const { volume, header } = await decodeSeries(given.instances, { resample: true });
  const { geometry, stack } = volume;
  const mask = createBitVolume(geometry.size);
  const [ni, nj, nk] = geometry.size;
  for (let n = 0; n < ni * nj * nk; n++) {
    const at = transformPoint(geometry.ijkToLps, [n % ni, Math.floor(n / ni) % nj, Math.floor(n / ni / nj)]);
    if (given.depth(at) > 0) mask.bits[n >>> 3]! |= 1 << (n & 7);
  }
  const on = maskOnSlices(mask, stack!);
  const input = segInput(stack!.geometry, [segmentOf("object", on)]);
  return { given, on, part10: encodeSeg({ ...input, header, sources: stack!.sources, uneven: true, kind }) };
}

describeWithPython("highdicom reads the SEG of a series that was resampled", () => {
  let answers: readonly SegByHighdicom[] = [];
  beforeAll(async () => {
    const files = [];
    for (const one of CASES) {
      const { part10, given } = await written(one, one.kind);
      files.push({ part10, sources: given.sopInstanceUids });
    }
    answers = readByPython("read_seg_kinds.py", files) as readonly SegByHighdicom[];
  });

  test.each(CASES.map((one, n) => ({ ...one, n })))(
    "$slices slices, $kind: the same pixels and positions, image by image",
    async ({ n, ...one }) => {
      const read = answers[n]!;
      const { given, on } = await written(one, one.kind);
      const [columns, rows] = given.pixels;
      expect(read.shape).toEqual([given.instances.length, rows, columns, 1]);
      const pixels = Buffer.from(read.pixels, "base64");
      for (let k = 0; k < given.instances.length; k++) {
        const found = pixels.subarray(k * rows * columns, (k + 1) * rows * columns).map((value) => (value ? 1 : 0));
        expect(Buffer.compare(found, unpackBits(on.slice(k), 0, rows * columns))).toBe(0);
      }
      for (const [f, uid] of read.frameSources.entries()) {
        const position = given.positions[given.sopInstanceUids.indexOf(uid)]!;
        for (const axis of [0, 1, 2] as const) expect(read.positions[f]![axis]).toBeCloseTo(position[axis], 5);
      }
    },
  );
});
