import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeSeg, maskOnto, segToLabelVolume } from "#converters/dicom/index.ts";
import { countBits } from "#converters/mask/index.ts";
import { dataPath, describeWithData, hasSharedData } from "../fixtures/shared-data.ts";

/** What other software reads of these files. */
interface ExpectedSeg {
  readonly transferSyntax: string;
  readonly segmentationType: string;
  readonly frames: number;
  readonly rows: number;
  readonly cols: number;
  readonly segments: readonly (readonly [number: number, label: string])[];
  readonly nonzero: number;
  readonly voxelsPerSegment: Readonly<Record<string, number>>;
}

const expected: Readonly<Record<string, ExpectedSeg>> = hasSharedData
  ? JSON.parse(readFileSync(dataPath("expected.json"), "utf8")).seg
  : {};

/** Files that cannot be read, and the words by which a user learns why. */
const REFUSED: Readonly<Record<string, { readonly reason: string; readonly says: RegExp }>> = {
  "seg_producers/highdicom/seg_image_cr_binary.dcm": { reason: "unsupported-dimensions", says: /no position/ },
  "seg_producers/pydicom_data/liver_deflate.dcm": { reason: "unsupported-datatype", says: /Deflated Image Frame/ },
  "seg_producers/pydicom_data/liver_j2k.dcm": { reason: "unsupported-datatype", says: /JPEG 2000/ },
  "seg_producers/pydicom_data/liver_nonbyte_aligned_rle.dcm": { reason: "unsupported-datatype", says: /RLE/ },
  "seg_producers/pydicom_data/liver_rle.dcm": { reason: "unsupported-datatype", says: /RLE/ },
};

const read = (file: string) => decodeSeg(new Uint8Array(readFileSync(dataPath(file))));
const files = Object.keys(expected);
const readable = files.filter((file) => !(file in REFUSED));

describeWithData("segmentations by dcmqi, Slicer, highdicom and pydicom", () => {
  test.each(readable)("%s has the frames, segments and voxels that its producer's peers read", (file) => {
    const want = expected[file]!;
    const seg = read(file);
    expect(seg.type).toBe(want.segmentationType);
    expect(seg.frames).toHaveLength(want.frames);
    expect([seg.frameGeometry.rows, seg.frameGeometry.columns]).toEqual([want.rows, want.cols]);
    expect(seg.segments.map(({ number, label }) => [number, label])).toEqual(want.segments.filter(([n]) => n > 0));
    const voxels: Record<string, number> = {};
    let nonzero = 0;
    for (const [n, { segmentNumber }] of seg.frames.entries()) {
      const set = countNonZero(seg.framePixels(n));
      nonzero += set;
      if (segmentNumber !== undefined) voxels[segmentNumber] = (voxels[segmentNumber] ?? 0) + set;
    }
    expect(nonzero).toBe(want.nonzero);
    expect(voxels).toEqual(want.voxelsPerSegment);
  });

  test.each(readable.filter((file) => expected[file]!.segmentationType === "BINARY"))(
    "%s: each segment is a mask of its own voxels on the grid that the frames span",
    (file) => {
      const seg = read(file);
      for (const { number } of seg.segments) {
        const mask = maskOnto(seg, number, seg.geometry!);
        expect(countBits(mask.bits, 0, mask.bits.length * 8)).toBe(expected[file]!.voxelsPerSegment[number]);
      }
    },
  );

  test.each(readable)("%s is a label map whose labels are its segments", (file) => {
    const { volume, labels } = segToLabelVolume(read(file));
    const known = new Set([0, ...labels.map(({ value }) => value)]);
    expect(volume.voxels.every((value) => known.has(value))).toBe(true);
    expect(volume.voxels.some((value) => value > 0)).toBe(true);
  });

  test("overlapping segments become a label map that says what it lost", () => {
    const { notes, volume } = segToLabelVolume(read("seg_producers/dcmqi/partial_overlaps.dcm"));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/overlap in \d+ voxels/);
    const total = Object.values(expected["seg_producers/dcmqi/partial_overlaps.dcm"]!.voxelsPerSegment);
    const lost = Number(/\d+/.exec(notes[0]!)![0]);
    const kept = countNonZero(volume.voxels);
    expect(kept + lost).toBe(total.reduce((sum, count) => sum + count, 0));
  });

  test.each(Object.entries(REFUSED))("%s is refused by name", (file, { reason, says }) => {
    expect(() => read(file)).toThrow(expect.objectContaining({ code: "unsupported-image", reason }));
    expect(() => read(file)).toThrow(says);
  });
});

function countNonZero(values: ArrayLike<number>): number {
  let count = 0;
  for (let n = 0; n < values.length; n++) if (values[n] !== 0) count++;
  return count;
}
