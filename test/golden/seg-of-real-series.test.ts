import { expect, test } from "vitest";
import { checkSeg, decodeSeg, decodeSeries, encodeSeg, maskOnto } from "#converters/dicom/index.ts";
import { createBitVolume } from "#converters/mask/index.ts";
import { dciodvfy, describeWithDciodvfy } from "../fixtures/dicom-tools.ts";
import { segInput, segmentOf, type WholeInput } from "../fixtures/seg-cases.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";

async function thresholdSeg(...folder: string[]): Promise<WholeInput> {
  const { volume, header } = await decodeSeries(readSeries(...folder));
  const mask = createBitVolume(volume.geometry.size);
  for (let n = 0; n < volume.voxels.length; n++) if (volume.voxels[n]! > 250) mask.bits[n >>> 3]! |= 1 << (n & 7);
  return { ...segInput(volume.geometry, [segmentOf("bone", mask)]), header, sources: volume.sources };
}

describeWithData("a SEG of a real CT", () => {
  test("passes its self-check and comes back as the same mask, referring to the real instances", async () => {
    const input = await thresholdSeg("ct_abdomen_crlm1004", "dicom");
    const bytes = encodeSeg(input);
    checkSeg(bytes, input);
    const seg = decodeSeg(bytes);
    expect(seg.referencedSeriesInstanceUid).toBe("1.3.6.1.4.1.14519.5.2.1.9203.8273.254242588659825836950462054011");
    expect(seg.referencedSopInstanceUids).toHaveLength(41);
    expect(seg.studyInstanceUid).toBe(input.header.study.StudyInstanceUID);
    const { bits } = input.segments[0]!.mask;
    expect(Buffer.compare(maskOnto(seg, 1, input.geometry).bits, bits)).toBe(0);
  });

  describeWithDciodvfy("dciodvfy", () => {
    test("finds no error in it", async () => {
      expect(dciodvfy(encodeSeg(await thresholdSeg("ct_abdomen_crlm1004", "dicom"))).errors).toEqual([]);
    });
  });
});
