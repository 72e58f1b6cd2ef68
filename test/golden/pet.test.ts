import { calculateSUVScalingFactors } from "@cornerstonejs/calculate-suv";
import { expect, test } from "vitest";
import { decodeSeries, firstNumber, firstText, items, readPart10, texts } from "#converters/dicom/index.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";

const folder = "sts002_ct_pet_mr_rtstruct/PET/dicom/image";

/** The series with values of its headers replaced by others of the same length. */
function withValues(replacements: Readonly<Record<string, string>>): Uint8Array[] {
  return readSeries(folder).map((file) => {
    const bytes = Buffer.from(file);
    for (const [from, to] of Object.entries(replacements)) {
      expect(bytes.indexOf(from, 0, "latin1")).toBeGreaterThan(0);
      expect(to).toHaveLength(from.length);
      bytes.write(to, bytes.indexOf(from, 0, "latin1"), "latin1");
    }
    return new Uint8Array(bytes);
  });
}

describeWithData("a real PET series", () => {
  test("in g/mL is SUV as it is", async () => {
    const { volume, notes } = await decodeSeries(readSeries(folder));
    expect([volume.unit, notes]).toEqual(["SUV", []]);
  });

  test("in Bq/mL by the same header stays activity: its dates were shifted apart", async () => {
    const { volume, notes } = await decodeSeries(withValues({ "GML ": "BQML", "ADMIN ": "START " }));
    const original = await decodeSeries(readSeries(folder));
    expect(volume.unit).toBe("Bq/mL");
    expect(volume.voxels).toEqual(original.volume.voxels);
    expect(notes).toEqual(["Values are activity, not SUV: the dose was given after the scan by what the dates say."]);
  });

  test("in Bq/mL with dates that agree becomes the SUV that calculate-suv finds, slice by slice", async () => {
    const files = withValues({
      "GML ": "BQML",
      "ADMIN ": "START ",
      "20060129135100.00": "20060128135100.00",
    });
    const original = await decodeSeries(readSeries(folder));
    const { volume } = await decodeSeries(files);
    expect(volume.unit).toBe("SUV");
    const [{ suvbw } = { suvbw: 0 }] = calculateSUVScalingFactors(files.map(headerOf));
    for (let n = 0; n < volume.voxels.length; n += 101) {
      expect(volume.voxels[n]! / suvbw).toBeCloseTo(original.volume.voxels[n]!, 4);
    }
  });
});

function headerOf(file: Uint8Array) {
  const { dataSet } = readPart10(file);
  const [drug = {}] = items(dataSet, "RadiopharmaceuticalInformationSequence");
  const text = (keyword: string) => firstText(dataSet, keyword) ?? "";
  return {
    CorrectedImage: [...texts(dataSet, "CorrectedImage")],
    Units: text("Units"),
    DecayCorrection: text("DecayCorrection"),
    PatientWeight: firstNumber(dataSet, "PatientWeight")!,
    RadionuclideHalfLife: firstNumber(drug, "RadionuclideHalfLife")!,
    RadionuclideTotalDose: firstNumber(drug, "RadionuclideTotalDose")!,
    RadiopharmaceuticalStartDateTime: firstText(drug, "RadiopharmaceuticalStartDateTime")!,
    SeriesDate: text("SeriesDate"),
    SeriesTime: text("SeriesTime"),
    AcquisitionDate: text("AcquisitionDate"),
    AcquisitionTime: text("AcquisitionTime"),
    PatientSize: 1.8,
    PatientSex: "M",
  };
}
