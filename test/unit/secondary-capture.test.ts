import { describe, expect, test } from "vitest";
import { encodeSecondaryCapture, readPart10, type SecondaryCaptureInput } from "#converters/dicom/index.ts";
import type { Vec3, Volume } from "#converters/geometry/index.ts";
import { overlayPages, overlayPicture, type RgbPicture } from "#converters/picture/index.ts";
import { dciodvfy, dcmdump, describeWithDciodvfy, describeWithDcmtk } from "../fixtures/dicom-tools.ts";
import { ellipsoid, geometryOf, headerOf, sourcesOf } from "../fixtures/seg-cases.ts";

const size: Vec3 = [40, 30, 12];
const geometry = geometryOf("axial", size);
const volume: Volume = {
  geometry,
  voxels: new Int16Array(size[0] * size[1] * size[2]).fill(40),
  unit: "HU",
  modality: "CT",
  sources: [],
};
const overlay = overlayPicture({
  volume,
  masks: [{ name: "ball", mask: ellipsoid(size, [0.5, 0.5, 0.5], 0.3) }],
});
const odd: RgbPicture = { width: 3, height: 5, pixels: Uint8Array.from({ length: 45 }, (_, n) => n) };

const inputOf = (...pictures: readonly RgbPicture[]): SecondaryCaptureInput => ({
  pictures,
  header: headerOf(),
  sources: sourcesOf(geometry),
  seriesDescription: "Overlay (research use only)",
  at: new Date("2026-01-02T03:04:05.678Z"),
  uids: { series: "2.25.5001", instance: "2.25.5002" },
});

const CASES: readonly (readonly [string, SecondaryCaptureInput])[] = [
  ["an overlay of three planes", inputOf(overlay)],
  ["a picture of an odd number of bytes", inputOf(odd)],
  ["three pictures", inputOf(odd, odd, odd)],
  ["a picture without sources", { ...inputOf(overlay), sources: [] }],
];

describeWithDciodvfy("dciodvfy finds no error in a secondary capture", () => {
  test.each(CASES)("of %s", (_what, input) => {
    expect(dciodvfy(encodeSecondaryCapture(input)).errors).toEqual([]);
  });
});

describeWithDcmtk("dcmtk", () => {
  test.each(CASES)("parses the secondary capture of %s to its end", (_what, input) => {
    const { status, lines } = dcmdump(encodeSecondaryCapture(input));
    expect(status).toBe(0);
    expect(lines.filter((line) => /^[EW]:/.test(line))).toEqual([]);
  });
});

describe("a secondary capture", () => {
  test("has the picture's own pixels, in the patient's study, and says that it is for research", () => {
    const { dataSet, pixelData } = readPart10(encodeSecondaryCapture(inputOf(overlay)));
    expect(dataSet).toMatchObject({
      SOPClassUID: ["1.2.840.10008.5.1.4.1.1.7"],
      PatientID: ["P-1"],
      StudyInstanceUID: ["2.25.1002"],
      Rows: [overlay.height],
      Columns: [overlay.width],
      PhotometricInterpretation: ["RGB"],
    });
    expect(dataSet.DerivationDescription?.[0]).toMatch(/^Research use only/);
    expect(pixelData && "value" in pixelData && Buffer.compare(pixelData.value, overlay.pixels)).toBe(0);
  });

  test("of several pictures has a page for each", () => {
    const { dataSet, pixelData } = readPart10(encodeSecondaryCapture(inputOf(odd, odd)));
    expect(dataSet).toMatchObject({
      SOPClassUID: ["1.2.840.10008.5.1.4.1.1.7.4"],
      NumberOfFrames: [2],
      PageNumberVector: [1, 2],
    });
    expect(pixelData && "value" in pixelData && [...pixelData.value]).toEqual([...odd.pixels, ...odd.pixels]);
  });

  test("is the same bytes each time", () => {
    expect(Buffer.compare(encodeSecondaryCapture(inputOf(odd)), encodeSecondaryCapture(inputOf(odd)))).toBe(0);
  });

  test("is refused of no picture, and of pictures of several sizes", () => {
    expect(() => encodeSecondaryCapture(inputOf())).toThrow(RangeError);
    expect(() => encodeSecondaryCapture(inputOf(odd, overlay))).toThrow(/differ in size/);
    expect(() => encodeSecondaryCapture(inputOf({ ...odd, width: 4 }))).toThrow(RangeError);
  });
});

describe("pages", () => {
  const ball = { name: "ball", mask: ellipsoid(size, [0.3, 0.5, 0.5], 0.2) };
  const other = { name: "other", mask: ellipsoid(size, [0.7, 0.5, 0.5], 0.2) };
  const isSame = (a: RgbPicture | undefined, b: RgbPicture) =>
    a !== undefined && Buffer.compare(a.pixels, b.pixels) === 0;
  const coloursOf = ({ pixels }: RgbPicture) =>
    new Set(Array.from({ length: pixels.length / 3 }, (_, n) => pixels.subarray(3 * n, 3 * n + 3).join()));

  test("show all masks together and then each by itself, in its own colour", () => {
    const [together, ...each] = [...overlayPages({ volume, masks: [ball, other] })];
    expect(each).toHaveLength(2);
    expect(isSame(together, overlayPicture({ volume, masks: [ball, other] }))).toBe(true);
    expect(isSame(each[0], overlayPicture({ volume, masks: [ball] }))).toBe(true);
    expect(isSame(each[1], overlayPicture({ volume, masks: [other] }))).toBe(false);
    const [all, first, second] = [together!, each[0]!, each[1]!].map(coloursOf);
    const own = [...second!].filter((colour) => !first!.has(colour));
    expect(own.some((colour) => all!.has(colour))).toBe(true);
  });

  test("of one mask are one, and are drawn only as they are asked for", () => {
    expect([...overlayPages({ volume, masks: [ball] })]).toHaveLength(1);
    const pages = overlayPages({ volume, masks: [ball, other] });
    expect(pages.next().value?.width).toBe(overlay.width);
  });
});
