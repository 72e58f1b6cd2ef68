import { expect, test } from "vitest";
import {
  checkSeg,
  type DecodeSeriesOptions,
  decodeSeg,
  decodeSeries,
  encodeSeg,
  maskOnto,
  type SegInput,
} from "#converters/dicom/index.ts";
import { createBitVolume } from "#converters/mask/index.ts";
import { dciodvfy, describeWithDciodvfy } from "../fixtures/dicom-tools.ts";
import { segInput, segmentOf } from "../fixtures/seg-cases.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";

/** Every third voxel of every slice. */
async function segOf(folder: string, file?: number, options: DecodeSeriesOptions = {}): Promise<SegInput> {
  const files = readSeries(folder);
  const { volume, header } = await decodeSeries(file === undefined ? files : [files[file]!], options);
  const mask = createBitVolume(volume.geometry.size);
  for (let n = 0; n < volume.voxels.length; n += 3) mask.bits[n >>> 3]! |= 1 << (n & 7);
  return { ...segInput(volume.geometry, [segmentOf("bone", mask)]), header, sources: volume.sources };
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
    const input = await segOf(...series);
    const bytes = encodeSeg(input);
    checkSeg(bytes, input);
    const seg = decodeSeg(bytes);
    expect(Buffer.compare(maskOnto(seg, 1, input.geometry).bits, input.segments[0]!.mask.bits)).toBe(0);
    expect(seg.frames).toHaveLength(input.geometry.size[2]);
  });

  test("an enhanced image refers to its frames by number", async () => {
    const seg = decodeSeg(encodeSeg(await segOf("mr_t1_enhanced_siemens_xa30/dicom")));
    expect(new Set(seg.frames.map(({ sourceFrame }) => sourceFrame)).size).toBe(96);
    expect(seg.referencedSopInstanceUids).toHaveLength(1);
  });

  test("an interpolated slice refers to no source, its neighbours refer to theirs", async () => {
    const seg = decodeSeg(
      encodeSeg(await segOf("odd_geometry_dicom2nifti/sliceincrement/001", undefined, { resample: true })),
    );
    const referring = seg.frames.map(({ sourceSopInstanceUid }) => sourceSopInstanceUid !== undefined);
    expect(referring).toEqual([true, true, true, false, true]);
  });

  describeWithDciodvfy("dciodvfy", () => {
    test.each(CASES)("finds no error in that of %s", async (_, series) => {
      expect(dciodvfy(encodeSeg(await segOf(...series))).errors).toEqual([]);
    });
  });
});
