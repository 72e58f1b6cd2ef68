import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { axial, type Changes, ctSlice, storedValue } from "../fixtures/ct-slices.ts";
import { element, rawElement } from "../fixtures/dicom-file.ts";

/** Its header allows SUV: injected when decay is counted from, so nothing decayed. */
const PET: Changes = {
  SOPClassUID: "1.2.840.10008.5.1.4.1.1.128",
  Modality: "PT",
  RescaleSlope: "2",
  RescaleIntercept: "0",
  Units: "BQML",
  CorrectedImage: "DECY\\ATTN",
  DecayCorrection: "ADMIN",
  PatientWeight: "80",
  RadiopharmaceuticalInformationSequence: [[element("RadionuclideTotalDose", "400000000")]],
};

const philips = [
  rawElement(0x70530010, "LO", "Philips PET Private Group"),
  rawElement(0x70531000, "DS", "0.25"),
  rawElement(0x70531009, "DS", "1.5"),
];

async function read(petUnits: "suv" | "activity" | undefined, changes: Changes = {}, extra = philips.slice(0, 0)) {
  const files = Array.from({ length: axial.slices }, (_, k) => ctSlice(k, axial, { ...PET, ...changes }, extra));
  const { volume, notes } = await decodeSeries(files, petUnits && { petUnits });
  return { unit: volume.unit, value: volume.voxels[1]!, notes: notes.join() };
}

describe("PET whose header allows SUV", () => {
  test("is SUV where nothing is said", async () => {
    expect(await read(undefined)).toEqual(await read("suv"));
    expect((await read(undefined)).unit).toBe("SUV");
  });

  test("stays activity where activity is asked for", async () => {
    expect(await read("activity")).toEqual({ unit: "Bq/mL", value: 2 * storedValue(0), notes: "" });
  });

  test("of Philips' counts becomes activity by its own factor", async () => {
    const { unit, value } = await read("activity", { Units: "CNTS" }, philips);
    expect([unit, value]).toEqual(["Bq/mL", 2 * 1.5 * storedValue(0)]);
    expect((await read("suv", { Units: "CNTS" }, philips)).value).toBe(2 * 0.25 * storedValue(0));
  });

  test("that holds SUV alone stays SUV, and the answer says that activity is not there", async () => {
    const { unit, value, notes } = await read("activity", { Units: "GML" });
    expect([unit, value]).toEqual(["SUV", 2 * storedValue(0)]);
    expect(notes).toContain("Activity was asked for");
  });

  test("that holds neither is left alone either way", async () => {
    expect(await read("activity", { Units: "PROPCNTS" })).toEqual(await read("suv", { Units: "PROPCNTS" }));
  });
});
