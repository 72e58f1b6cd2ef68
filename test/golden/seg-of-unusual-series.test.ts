import { expect, test } from "vitest";
import {
  checkSeg,
  type DecodeSeriesOptions,
  decodeSeg,
  decodeSeries,
  encodeSeg,
  firstText,
  maskOnSlices,
  maskOnto,
  numbers,
  readPart10,
} from "#converters/dicom/index.ts";
import { createBitVolume, readSlice, unpackBits } from "#converters/mask/index.ts";
import { dciodvfy, describeWithDciodvfy } from "../fixtures/dicom-tools.ts";
import { segInput, segmentOf } from "../fixtures/seg-cases.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";

/** Every third voxel of every slice; of a resampled series put back onto its slices. */
async function segOf(folder: string, file?: number, options: DecodeSeriesOptions = {}) {
  const files = readSeries(folder);
  const { volume, header } = await decodeSeries(file === undefined ? files : [files[file]!], options);
  const mask = createBitVolume(volume.geometry.size);
  for (let n = 0; n < volume.voxels.length; n += 3) mask.bits[n >>> 3]! |= 1 << (n & 7);
  const { geometry, sources } = volume.stack ?? volume;
  const stored = volume.stack ? maskOnSlices(mask, volume.stack) : mask;
  const uneven = volume.stack !== undefined;
  return { input: { ...segInput(geometry, [segmentOf("bone", stored)]), header, sources, uneven }, volume };
}

type Series = readonly [folder: string, file?: number | undefined, options?: DecodeSeriesOptions];

const CASES: readonly (readonly [what: string, series: Series])[] = [
  ["an enhanced image, frame by frame", ["mr_t1_enhanced_siemens_xa30/dicom"]],
  ["a mosaic", ["transfer_syntaxes_mr_dcm_qa_ts/In", 0]],
  ["one of several volumes", ["four_d/mr_dynamic_3z_3t", undefined, { volume: 1 }]],
  [
    "a series whose missing slice was interpolated",
    ["odd_geometry_dicom2nifti/sliceincrement/001", undefined, { resample: true }],
  ],
  ["a series whose tilt was undone", ["odd_geometry_dicom2nifti/gantrytilting/001", undefined, { resample: true }]],
];

describeWithData("a SEG of", () => {
  test.each(CASES)("%s passes its self-check and comes back as the same mask", async (_, series) => {
    const { input, volume } = await segOf(...series);
    const bytes = encodeSeg(input);
    checkSeg(bytes, input);
    const seg = decodeSeg(bytes);
    const read = maskOnto(seg, 1, volume.stack ?? volume.geometry);
    const [{ mask }] = input.segments as [(typeof input.segments)[0]];
    const pixels = read.size[0] * read.size[1];
    for (let k = 0; k < read.size[2]; k++) {
      const wanted = "bits" in mask ? readSlice(mask, k) : unpackBits(mask.slice(k), 0, pixels);
      expect(Buffer.compare(readSlice(read, k), wanted)).toBe(0);
    }
    expect(seg.frames).toHaveLength(input.geometry.size[2]);
    // Each frame has its image.
    expect(seg.frames.every(({ sourceSopInstanceUid }) => sourceSopInstanceUid !== undefined)).toBe(true);
  });

  test("an enhanced image refers to its frames by number", async () => {
    const seg = decodeSeg(encodeSeg((await segOf("mr_t1_enhanced_siemens_xa30/dicom")).input));
    expect(new Set(seg.frames.map(({ sourceFrame }) => sourceFrame)).size).toBe(96);
    expect(seg.referencedSopInstanceUids).toHaveLength(1);
  });

  test.each(CASES.slice(-2))(
    "%s has as many frames as the series has images, each where its image lies",
    async (_, series) => {
      const { input, volume } = await segOf(...series);
      const seg = decodeSeg(encodeSeg(input));
      const images = await Promise.all(
        readSeries(series[0]).map((file) => readPart10(file, { stopBeforePixels: true })),
      );
      const positionOf = new Map(
        images.map(({ dataSet }) => [firstText(dataSet, "SOPInstanceUID"), numbers(dataSet, "ImagePositionPatient")]),
      );
      expect(volume.geometry.size).not.toEqual(input.geometry.size);
      expect(seg.frames).toHaveLength(images.length);
      for (const { sourceSopInstanceUid, positionLps } of seg.frames) {
        for (const axis of [0, 1, 2] as const) {
          expect(positionLps[axis]).toBeCloseTo(positionOf.get(sourceSopInstanceUid)![axis]!, 3);
        }
      }
    },
  );

  describeWithDciodvfy("dciodvfy", () => {
    test.each(CASES)("finds no error in that of %s", async (_, series) => {
      expect(dciodvfy(encodeSeg((await segOf(...series)).input)).errors).toEqual([]);
    });
  });
});
