import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decodeSeries, readPart10 } from "#converters/dicom/index.ts";
import { describeWithPython, runPython } from "../fixtures/python-checks.ts";
import { dataPath, describeWithData, readSeries } from "../fixtures/shared-data.ts";

const STS = (name: string) => `sts002_ct_pet_mr_rtstruct/${name}/dicom/image`;

/** By highdicom, which moves what it has no functional group for into the "unassigned" ones. */
function converted(folder: string): Uint8Array {
  const temporary = mkdtempSync(join(tmpdir(), "parse3d-"));
  try {
    const file = join(temporary, "converted.dcm");
    runPython("legacy_converted.py", [dataPath(folder), file]);
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

describeWithData("a series that highdicom made one legacy converted image of", () => {
  describeWithPython("highdicom", () => {
    test.each([
      ["CT", STS("CT"), "1.2.840.10008.5.1.4.1.1.2.2"],
      ["MR", STS("MR_T1"), "1.2.840.10008.5.1.4.1.1.4.4"],
      ["PET", STS("PET"), "1.2.840.10008.5.1.4.1.1.128.1"],
    ])("is the volume that it was: %s", async (_, folder, sopClassUid) => {
      const file = converted(folder);
      expect(readPart10(file).dataSet.SOPClassUID).toEqual([sopClassUid]);
      const classic = (await decodeSeries(readSeries(folder))).volume;
      const enhanced = (await decodeSeries([file])).volume;
      expect(enhanced.geometry.size).toEqual(classic.geometry.size);
      expect(enhanced.geometry.frameOfReferenceUid).toBe(classic.geometry.frameOfReferenceUid);
      for (const [n, value] of enhanced.geometry.ijkToLps.entries()) {
        expect(value).toBeCloseTo(classic.geometry.ijkToLps[n]!, 6);
      }
      expect([enhanced.unit, enhanced.modality]).toEqual([classic.unit, classic.modality]);
      expect(enhanced.voxels).toEqual(classic.voxels);
      expect(new Set(enhanced.sources.map(({ frame }) => frame)).size).toBe(classic.geometry.size[2]);
    });
  });
});
