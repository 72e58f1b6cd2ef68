import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type DecodedSeg, decodeSeg, maskOnto, openSeg, segToLabelVolume } from "#converters/dicom/index.ts";
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
  /** Absent where pixels are compressed. */
  readonly nonzero?: number;
  /** Of a label map, by segment: empty. */
  readonly voxelsPerSegment?: Readonly<Record<string, number>>;
}

const expected: Readonly<Record<string, ExpectedSeg>> = hasSharedData
  ? JSON.parse(readFileSync(dataPath("expected.json"), "utf8")).seg
  : {};

/** Files that cannot be read, and the words by which a user learns why. */
const REFUSED: Readonly<Record<string, { readonly reason: string; readonly says: RegExp }>> = {
  "seg_producers/highdicom/seg_image_cr_binary.dcm": { reason: "unsupported-dimensions", says: /no position/ },
};

/** Compressed files, and the uncompressed one that has the same voxels in the same frames. */
const SAME_VOXELS: Readonly<Record<string, string>> = {
  "seg_producers/pydicom_data/liver_deflate.dcm": "seg_producers/pydicom_data/liver.dcm",
  "seg_producers/pydicom_data/liver_j2k.dcm": "seg_producers/pydicom_data/liver.dcm",
  "seg_producers/pydicom_data/liver_rle.dcm": "seg_producers/pydicom_data/liver.dcm",
  "seg_producers/pydicom_data/liver_nonbyte_aligned_rle.dcm": "seg_producers/pydicom_data/liver_nonbyte_aligned.dcm",
};

const bytesOf = (file: string) => new Uint8Array(readFileSync(dataPath(file)));
const read = (file: string): Promise<DecodedSeg> => openSeg(bytesOf(file));
const files = Object.keys(expected);
const readable = files.filter((file) => !(file in REFUSED));

describeWithData("segmentations by dcmqi, Slicer, highdicom and pydicom", () => {
  test.each(readable)("%s has the frames, segments and voxels that its producer's peers read", async (file) => {
    const want = { ...expected[SAME_VOXELS[file] ?? file]!, ...expected[file] };
    const seg = await read(file);
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

  test("all but the segmentation of a projection image can be read", () => {
    expect(files).toHaveLength(20);
    expect(readable).toHaveLength(19);
  });

  test.each(Object.entries(SAME_VOXELS))("%s has the very pixels of %s", async (file, plain) => {
    const [seg, other] = [await read(file), decodeSeg(bytesOf(plain))];
    for (let n = 0; n < seg.frames.length; n++) expect(seg.framePixels(n)).toEqual(other.framePixels(n));
    // A frame asked for again, after another, is still itself.
    expect(seg.framePixels(0)).toEqual(other.framePixels(0));
  });

  test("without a codec only JPEG 2000 is refused, by name", () => {
    const refused = Object.keys(SAME_VOXELS).filter((file) => {
      try {
        decodeSeg(bytesOf(file));
        return false;
      } catch (error) {
        expect(error).toMatchObject({ code: "unsupported-image", message: expect.stringMatching(/JPEG 2000/) });
        return true;
      }
    });
    expect(refused).toEqual(["seg_producers/pydicom_data/liver_j2k.dcm"]);
  });

  test.each(readable.filter((file) => expected[file]!.segmentationType === "BINARY"))(
    "%s: each segment is a mask of its own voxels on the grid that the frames span",
    async (file) => {
      const seg = await read(file);
      for (const { number } of seg.segments) {
        const mask = maskOnto(seg, number, seg.geometry!);
        const { voxelsPerSegment } = expected[SAME_VOXELS[file] ?? file]!;
        expect(countBits(mask.bits, 0, mask.bits.length * 8)).toBe(voxelsPerSegment?.[number]);
      }
    },
  );

  test.each(readable)("%s is a label map whose labels are its segments", async (file) => {
    const { volume, labels } = segToLabelVolume(await read(file));
    const known = new Set([0, ...labels.map(({ value }) => value)]);
    expect(volume.voxels.every((value) => known.has(value))).toBe(true);
    expect(volume.voxels.some((value) => value > 0)).toBe(true);
  });

  test("overlapping segments become a label map that says what it lost", async () => {
    const { notes, volume } = segToLabelVolume(await read("seg_producers/dcmqi/partial_overlaps.dcm"));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/overlap in \d+ voxels/);
    const total = Object.values(expected["seg_producers/dcmqi/partial_overlaps.dcm"]!.voxelsPerSegment!);
    const lost = Number(/\d+/.exec(notes[0]!)![0]);
    const kept = countNonZero(volume.voxels);
    expect(kept + lost).toBe(total.reduce((sum, count) => sum + count, 0));
  });

  test.each(Object.entries(REFUSED))("%s is refused by name", async (file, { reason, says }) => {
    await expect(read(file)).rejects.toMatchObject({ code: "unsupported-image", reason });
    await expect(read(file)).rejects.toThrow(says);
  });

  test.each(["sparse-labelmap-noppv", "sparse-labelmap-ppv5"])(
    "%s is dcmqi's own label map, voxel by voxel",
    async (name) => {
      const seg = await read(`seg_producers/dcmqi/${name}.dcm`);
      const mask = maskOnto(seg, 1, seg.geometry!);
      expect(countBits(mask.bits, 0, mask.bits.length * 8)).toBe(630);
    },
  );
});

function countNonZero(values: ArrayLike<number>): number {
  let count = 0;
  for (let n = 0; n < values.length; n++) if (values[n] !== 0) count++;
  return count;
}
