import { calculateSUVScalingFactors } from "@cornerstonejs/calculate-suv";
import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { axial, type Changes, columns, ctSlice, rows, storedValue } from "../fixtures/ct-slices.ts";
import { element, type Plain, type RawElement, rawElement } from "../fixtures/dicom-file.ts";
import { enhancedCt } from "../fixtures/enhanced-ct.ts";

const perSlice = rows * columns;
const MR: Changes = { SOPClassUID: "1.2.840.10008.5.1.4.1.1.4", Modality: "MR", RescaleSlope: undefined };

function item(attributes: Readonly<Record<string, Plain | undefined>>): RawElement[] {
  return Object.entries(attributes).flatMap(([keyword, value]) =>
    value === undefined ? [] : [element(keyword, value)],
  );
}

async function decoded(changes: Changes, extra: readonly RawElement[] = []) {
  const layout = { ...axial, slices: 4 };
  const files = Array.from({ length: 4 }, (_, k) => ctSlice(k, layout, changes, extra));
  return await decodeSeries(files);
}

describe("PET", () => {
  const drug: Readonly<Record<string, Plain | undefined>> = {
    RadionuclideTotalDose: "400000000",
    RadionuclideHalfLife: "6588",
    RadiopharmaceuticalStartDateTime: "20240102093000.00",
  };
  const PET: Changes = {
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.128",
    Modality: "PT",
    RescaleSlope: "2",
    RescaleIntercept: "0",
    Units: "BQML",
    CorrectedImage: "DECY\\ATTN\\SCAT",
    DecayCorrection: "START",
    PatientWeight: "80",
    SeriesDate: "20240102",
    SeriesTime: "103000",
    AcquisitionDate: "20240102",
    AcquisitionTime: "103005.5",
  };
  const pet = (changes: Changes = {}, drugChanges: typeof drug = {}, extra: readonly RawElement[] = []) =>
    decoded({ ...PET, RadiopharmaceuticalInformationSequence: [item({ ...drug, ...drugChanges })], ...changes }, extra);
  /** Of voxel 1 of slice 0, whose activity is 2 * 100 Bq/mL. */
  const factorOf = ({ volume }: Awaited<ReturnType<typeof pet>>) => volume.voxels[1]! / (2 * storedValue(0));
  /** What @cornerstonejs/calculate-suv makes of the same header. */
  const theirFactor = (changes: Readonly<Record<string, unknown>> = {}) =>
    calculateSUVScalingFactors([
      {
        CorrectedImage: ["DECY", "ATTN", "SCAT"],
        Units: "BQML",
        RadionuclideHalfLife: 6588,
        RadionuclideTotalDose: 4e8,
        DecayCorrection: "START",
        PatientWeight: 80,
        SeriesDate: "20240102",
        SeriesTime: "103000",
        AcquisitionDate: "20240102",
        AcquisitionTime: "103005.500000",
        RadiopharmaceuticalStartDateTime: "20240102093000.00",
        // Only to keep it from warning; these are for other factors.
        PatientSize: 1.8,
        PatientSex: "F",
        ...changes,
      },
    ])[0]!.suvbw;

  test("of activity becomes SUV by body weight: weight by the dose that was left when the series began", async () => {
    const series = await pet();
    expect(series.volume.unit).toBe("SUV");
    expect(factorOf(series)).toBeCloseTo(80_000 / (4e8 * 2 ** (-3600 / 6588)), 10);
    expect(factorOf(series)).toBeCloseTo(theirFactor(), 8);
    expect(series.notes.join()).toContain("SUV by body weight, computed from activity");
  });

  test.each<[string, Changes, typeof drug, Readonly<Record<string, unknown>>]>([
    ["a series that was made later", { SeriesTime: "150000" }, {}, { SeriesTime: "150000" }],
    [
      "a time of day without a date",
      {},
      { RadiopharmaceuticalStartDateTime: undefined, RadiopharmaceuticalStartTime: "093000.00" },
      { RadiopharmaceuticalStartDateTime: undefined, RadiopharmaceuticalStartTime: "093000.00" },
    ],
  ])("counts decay as calculate-suv does for %s", async (_, changes, drugChanges, theirs) => {
    expect(factorOf(await pet(changes, drugChanges))).toBeCloseTo(theirFactor(theirs), 8);
  });

  test("takes GE's own start of the scan where the series was made later", async () => {
    const ge = [rawElement(0x00090010, "LO", "GEMS_PETD_01"), rawElement(0x0009100d, "DT", "20240102103000.00")];
    const later = { SeriesTime: "150000", AcquisitionTime: "104500" };
    const theirs = {
      SeriesTime: "150000",
      AcquisitionTime: "104500",
      GEPrivatePostInjectionDateTime: "20240102103000.00",
    };
    expect(factorOf(await pet(later, {}, ge))).toBeCloseTo(theirFactor(theirs), 8);
  });

  test("that was corrected to the injection lost nothing of its dose", async () => {
    const series = await pet({ DecayCorrection: "ADMIN", SeriesDate: undefined, AcquisitionDate: undefined });
    expect(factorOf(series)).toBeCloseTo(80_000 / 4e8, 10);
  });

  test("across midnight is decayed by the hour that passed, not by the day", async () => {
    const night = {
      SeriesDate: "20240103",
      SeriesTime: "003000",
      AcquisitionDate: "20240103",
      AcquisitionTime: "003000",
    };
    const series = await pet(night, {
      RadiopharmaceuticalStartDateTime: undefined,
      RadiopharmaceuticalStartTime: "233000",
    });
    expect(factorOf(series)).toBeCloseTo(80_000 / (4e8 * 2 ** (-3600 / 6588)), 10);
  });

  test("is decayed from the earliest of all acquisitions, for beds follow each other", async () => {
    const layout = { ...axial, slices: 4 };
    const files = [0, 1, 2, 3].map((k) =>
      ctSlice(k, layout, {
        ...PET,
        RadiopharmaceuticalInformationSequence: [item(drug)],
        SeriesTime: "150000",
        AcquisitionTime: k === 2 ? "103000" : "104500",
      }),
    );
    expect(factorOf(await decodeSeries(files))).toBeCloseTo(80_000 / (4e8 * 2 ** (-3600 / 6588)), 10);
  });

  test.each<[string, Changes, typeof drug]>([
    ["not corrected for attenuation", { CorrectedImage: "DECY" }, {}],
    ["not corrected for decay", { CorrectedImage: "ATTN" }, {}],
    ["Decay Correction", { DecayCorrection: "NONE" }, {}],
    ["Patient's Weight is absent", { PatientWeight: undefined }, {}],
    ["Patient's Weight is absent", { PatientWeight: "0" }, {}],
    ["Patient's Weight is not plausible", { PatientWeight: "80000" }, {}],
    ["Radionuclide Total Dose is absent", {}, { RadionuclideTotalDose: undefined }],
    ["Radionuclide Total Dose is not plausible", {}, { RadionuclideTotalDose: "400" }],
    ["Radionuclide Half Life is absent", {}, { RadionuclideHalfLife: undefined }],
    ["Radiopharmaceutical Start Date Time is absent", {}, { RadiopharmaceuticalStartDateTime: undefined }],
    ["given after the scan", {}, { RadiopharmaceuticalStartDateTime: "20240102113000" }],
    ["too long before", {}, { RadiopharmaceuticalStartDateTime: "20230102093000" }],
    ["the start of the series is absent", { SeriesDate: undefined, AcquisitionDate: "" }, {}],
    ["several radiopharmaceuticals", { RadiopharmaceuticalInformationSequence: [item(drug), item(drug)] }, {}],
  ])("stays activity where the header does not allow SUV, and says why: %s", async (why, changes, drugChanges) => {
    const { volume, notes } = await pet(changes, drugChanges);
    expect(volume.unit).toBe("Bq/mL");
    expect(volume.voxels[1]).toBe(2 * storedValue(0));
    expect(notes.join()).toContain("Values are activity, not SUV");
    expect(notes.join()).toContain(why);
  });

  test("in g/mL is SUV already, unless it is by something else than weight", async () => {
    const suv = await pet({ Units: "GML", PatientWeight: undefined });
    expect([suv.volume.unit, suv.volume.voxels[1]]).toEqual(["SUV", 2 * storedValue(0)]);
    const lean = await pet({ Units: "GML", SUVType: "LBM" });
    expect([lean.volume.unit, lean.volume.voxels[1]]).toEqual(["arbitrary", 2 * storedValue(0)]);
    expect(lean.notes.join()).toContain("not by body weight");
  });

  test("in counts takes the factors that Philips writes, and stays counts without them", async () => {
    const philips = (elementNumber: number, value: string) => [
      rawElement(0x70530010, "LO", "Philips PET Private Group"),
      rawElement(0x70530000 + elementNumber, "DS", value),
    ];
    const suv = await pet({ Units: "CNTS" }, {}, philips(0x1000, "0.25"));
    expect([suv.volume.unit, factorOf(suv)]).toEqual(["SUV", 0.25]);
    const activity = await pet({ Units: "CNTS" }, {}, philips(0x1009, "1.5"));
    expect(activity.volume.unit).toBe("SUV");
    const theirs = { Units: "CNTS", PhilipsPETPrivateGroup: { ActivityConcentrationScaleFactor: 1.5 } };
    expect(factorOf(activity)).toBeCloseTo(theirFactor(theirs), 8);
    const counts = await pet({ Units: "CNTS" });
    expect([counts.volume.unit, counts.volume.voxels[1]]).toEqual(["arbitrary", 2 * storedValue(0)]);
  });

  test("is scaled slice by slice: each has a slope of its own", async () => {
    const layout = { ...axial, slices: 4 };
    const files = [0, 1, 2, 3].map((k) =>
      ctSlice(k, layout, {
        ...PET,
        DecayCorrection: "ADMIN",
        RescaleSlope: String(k + 1),
        RadiopharmaceuticalInformationSequence: [item(drug)],
      }),
    );
    const { volume } = await decodeSeries(files);
    for (let k = 0; k < 4; k++) {
      expect(volume.voxels[k * perSlice + 1]).toBeCloseTo(((k + 1) * storedValue(k) * 80_000) / 4e8, 5);
    }
  });

  test("of an enhanced image says outright which moment it is decayed to, and its unit by a mapping", async () => {
    const activity = item({ ...units("Bq/ml"), RealWorldValueSlope: 2, RealWorldValueIntercept: 0 });
    const file = enhancedCt(
      [0, 1, 2].map((k) => ({ k, mapping: activity })),
      {
        SOPClassUID: "1.2.840.10008.5.1.4.1.1.130",
        Modality: "PT",
        AttenuationCorrected: "YES",
        DecayCorrected: "YES",
        DecayCorrectionDateTime: "20240102113000+0200",
        TimezoneOffsetFromUTC: "+0100",
        PatientWeight: "80",
        RadiopharmaceuticalInformationSequence: [item(drug)],
      },
    );
    const series = await decodeSeries([file]);
    expect(series.volume.unit).toBe("SUV");
    // 11:30 where the clock is two hours ahead is 10:30 on the file's own, an hour after the injection.
    expect(factorOf(series)).toBeCloseTo(80_000 / (4e8 * 2 ** (-3600 / 6588)), 10);
  });

  test("mapped to SUV by a Real World Value Mapping needs nothing else", async () => {
    const mapping = [item({ ...units("{SUVbw}g/ml"), RealWorldValueSlope: 0.125, RealWorldValueIntercept: 0 })];
    const { volume } = await pet({
      Units: undefined,
      PatientWeight: undefined,
      RealWorldValueMappingSequence: mapping,
    });
    expect([volume.unit, volume.voxels[1]]).toEqual(["SUV", storedValue(0) / 8]);
  });
});

function units(code: string): Readonly<Record<string, Plain>> {
  return {
    MeasurementUnitsCodeSequence: [item({ CodeValue: code, CodingSchemeDesignator: "UCUM", CodeMeaning: code })],
    RealWorldValueFirstValueMapped: 0,
    RealWorldValueLastValueMapped: 4095,
  };
}

describe("a Real World Value Mapping", () => {
  const linear = [item({ ...units("mm2/s"), RealWorldValueSlope: 1e-6, RealWorldValueIntercept: 0.5 })];

  test("gives an MR image its values, and the answer names their unit", async () => {
    const { volume, notes } = await decoded({ ...MR, RealWorldValueMappingSequence: linear });
    expect(volume.unit).toBe("arbitrary");
    expect(volume.voxels[1]).toBeCloseTo(storedValue(0) * 1e-6 + 0.5, 6);
    expect(notes.join()).toContain("Values are in mm2/s");
  });

  test.each(["mm2/s", "[hnsf'U]"])("to %s does not replace the Hounsfield units of CT", async (unit) => {
    const mapping = [item({ ...units(unit), RealWorldValueSlope: 2, RealWorldValueIntercept: 7 })];
    const { volume, notes } = await decoded({ RealWorldValueMappingSequence: mapping });
    expect([volume.unit, volume.voxels[1], notes]).toEqual(["HU", storedValue(0) - 1024, []]);
  });

  test("gives CT its Hounsfield units where there is no Rescale Slope", async () => {
    const mapping = [item({ ...units("[hnsf'U]"), RealWorldValueSlope: 2, RealWorldValueIntercept: -1000 })];
    const { volume } = await decoded({
      RescaleSlope: undefined,
      RescaleIntercept: undefined,
      RealWorldValueMappingSequence: mapping,
    });
    expect([volume.unit, volume.voxels[1]]).toEqual(["HU", 2 * storedValue(0) - 1000]);
  });

  test("by a table is looked up, and what is beyond takes its ends", async () => {
    const entries = Array.from({ length: 4 }, (_, n) => n * n + 0.5);
    const table = [
      item({
        ...units("ms"),
        RealWorldValueFirstValueMapped: 101,
        RealWorldValueLastValueMapped: 104,
        RealWorldValueLUTData: entries,
      }),
    ];
    const { volume } = await decoded({ ...MR, RealWorldValueMappingSequence: table });
    expect([0, 1, 2, 3].map((k) => volume.voxels[k * perSlice + 1])).toEqual([0.5, 0.5, 1.5, 4.5]);
    expect(volume.voxels[0]).toBe(9.5);
  });

  test("is taken from each frame of an enhanced image", async () => {
    const frames = [0, 1, 2].map((k) => ({
      k,
      mapping: item({ ...units("1/s"), RealWorldValueSlope: k + 1, RealWorldValueIntercept: 0 }),
    }));
    const file = enhancedCt(frames, { SOPClassUID: "1.2.840.10008.5.1.4.1.1.4.1", Modality: "MR" });
    const { volume, notes } = await decodeSeries([file]);
    expect([0, 1, 2].map((k) => volume.voxels[k * perSlice + 1])).toEqual([100, 202, 306]);
    expect(notes.join()).toContain("1/s");
  });

  test.each<[string, RawElement[][]]>([
    ["has no unit", [item({ RealWorldValueSlope: 2, RealWorldValueIntercept: 0 })]],
    ["has a table of another length", [item({ ...units("ms"), RealWorldValueLUTData: [1, 2, 3] })]],
    ["has a slope of 0", [item({ ...units("ms"), RealWorldValueSlope: 0, RealWorldValueIntercept: 0 })]],
    [
      "is one of several for parts of the values",
      [0, 2000].map((first) =>
        item({
          ...units("ms"),
          RealWorldValueFirstValueMapped: first,
          RealWorldValueLastValueMapped: first + 1999,
          RealWorldValueSlope: 2,
          RealWorldValueIntercept: first,
        }),
      ),
    ],
  ])("is left alone where it %s", async (_, mapping) => {
    const { volume } = await decoded({
      ...MR,
      RescaleIntercept: undefined,
      RealWorldValueMappingSequence: mapping,
    });
    expect(volume.voxels[1]).toBe(storedValue(0));
  });

  test("that not all slices have is not used", async () => {
    const layout = { ...axial, slices: 3 };
    const files = [0, 1, 2].map((k) =>
      ctSlice(k, layout, {
        ...MR,
        RescaleIntercept: undefined,
        ...(k > 0 && { RealWorldValueMappingSequence: linear }),
      }),
    );
    expect((await decodeSeries(files)).volume.voxels[1]).toBe(storedValue(0));
  });
});

describe("lossy compression in the past of a series", () => {
  const lossy = (ratio: string): Changes => ({
    LossyImageCompression: "01",
    LossyImageCompressionRatio: ratio,
    LossyImageCompressionMethod: "ISO_10918_1",
  });

  test("is told with its method and its strongest ratio", async () => {
    const layout = { ...axial, slices: 3 };
    const files = [0, 1, 2].map((k) => ctSlice(k, layout, k === 0 ? {} : lossy(String(5 * k))));
    expect((await decodeSeries(files)).lossyCompression).toEqual({ ratios: [10], methods: ["ISO_10918_1"] });
  });

  test("is not claimed of a series without any", async () => {
    expect(await decoded({ LossyImageCompression: "00" })).not.toHaveProperty("lossyCompression");
  });
});
