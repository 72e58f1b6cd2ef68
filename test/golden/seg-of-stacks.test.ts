import { expect, test } from "vitest";
import { checkSeg, decodeSeg, decodeSeries, encodeSeg, maskOnto } from "#converters/dicom/index.ts";
import { createBitVolume } from "#converters/mask/index.ts";
import type { Changes } from "../fixtures/ct-slices.ts";
import { dciodvfy, describeWithDciodvfy } from "../fixtures/dicom-tools.ts";
import { segInput, segmentOf, type WholeInput } from "../fixtures/seg-cases.ts";
import { NM, SC, stackedImage, US, volumeGroups } from "../fixtures/stacked-images.ts";

const enhancedUs: Changes = {
  SOPClassUID: "1.2.840.10008.5.1.4.1.1.6.2",
  Modality: "US",
  PixelSpacing: undefined,
  FrameOfReferenceUID: undefined,
  VolumeFrameOfReferenceUID: "2.25.77",
  ...volumeGroups([0, 1, 2, 3], 0.25),
};
const place = {
  ImagePositionPatient: "1\\2\\3",
  ImageOrientationPatient: "1\\0\\0\\0\\1\\0",
  SpacingBetweenSlices: "2",
};

const CASES: readonly (readonly [what: string, image: Changes, frames: readonly number[]])[] = [
  ["reconstructed nuclear medicine", NM, [1, 2, 3, 4]],
  ["nuclear medicine that is stacked to the front", { ...NM, SpacingBetweenSlices: "-4" }, [4, 3, 2, 1]],
  ["an ultrasound sweep", { ...US, SpacingBetweenSlices: "0.4" }, [1, 2, 3, 4]],
  ["an Enhanced US Volume", enhancedUs, [1, 2, 3, 4]],
  ["a secondary capture of several frames", { ...SC, ...place }, [1, 2, 3, 4]],
  ["a lossy image", { ...SC, ...place, LossyImageCompression: "01", LossyImageCompressionRatio: "12.5" }, [1, 2, 3, 4]],
];

async function segOf(image: Changes): Promise<WholeInput> {
  const file = stackedImage([10, 11, 12, 13], { ...image, SeriesNumber: "3", PatientID: "P-1", StudyID: "1" });
  const { volume, header, lossyCompression } = await decodeSeries([file]);
  const mask = createBitVolume(volume.geometry.size);
  for (let n = 0; n < volume.voxels.length; n += 3) mask.bits[n >>> 3]! |= 1 << (n & 7);
  return {
    ...segInput(volume.geometry, [segmentOf("bone", mask)]),
    header,
    sources: volume.sources,
    ...(lossyCompression && { lossyCompression }),
  };
}

test.each(CASES)("a SEG of %s comes back as the same mask and refers to its frames", async (_, image, frames) => {
  const input = await segOf(image);
  const bytes = encodeSeg(input);
  checkSeg(bytes, input);
  const seg = decodeSeg(bytes);
  expect(Buffer.compare(maskOnto(seg, 1, input.geometry).bits, input.segments[0]!.mask.bits)).toBe(0);
  expect(seg.frames.map(({ sourceFrame }) => sourceFrame)).toEqual(frames);
});

describeWithDciodvfy("dciodvfy", () => {
  test.each(CASES)("finds no error in a SEG of %s", async (_, image) => {
    expect(dciodvfy(encodeSeg(await segOf(image))).errors).toEqual([]);
  });
});
