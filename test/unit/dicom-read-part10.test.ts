import { describe, expect, test } from "vitest";
import { type DataSet, readPart10 } from "#converters/dicom/index.ts";
import { UnsupportedImageError } from "#converters/errors.ts";
import { element, encapsulated, encodeElements, part10, type RawElement, rawElement } from "../fixtures/dicom-file.ts";

const EXPLICIT = "1.2.840.10008.1.2.1";
const elements: readonly RawElement[] = [
  element("SpecificCharacterSet", "ISO_IR 100"),
  element("ImageType", "ORIGINAL\\PRIMARY\\AXIAL"),
  element("SOPInstanceUID", "2.25.123"),
  element("PatientName", "Buc^J\u00e9r\u00f4me"),
  element("SliceThickness", "2.50"),
  element("InstanceNumber", "7"),
  element("AccessionNumber", ""),
  element("Rows", 2),
  element("Columns", 2),
  element("PixelRepresentation", 1),
  element("FrameIncrementPointer", Uint8Array.from([0x18, 0, 0x63, 0x10])),
  element("ReferencedImageSequence", [
    [element("ReferencedSOPInstanceUID", "2.25.9"), element("ReferencedFrameNumber", "1\\2")],
    [element("ReferencedSOPInstanceUID", "2.25.10")],
  ]),
  element("RecommendedDisplayFrameRateInFloat", [1.5]),
  element("PixelData", Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])),
];

const read: DataSet = {
  SpecificCharacterSet: ["ISO_IR 100"],
  ImageType: ["ORIGINAL", "PRIMARY", "AXIAL"],
  SOPInstanceUID: ["2.25.123"],
  PatientName: ["Buc^Jérôme"],
  SliceThickness: [2.5],
  InstanceNumber: [7],
  AccessionNumber: [],
  Rows: [2],
  Columns: [2],
  PixelRepresentation: [1],
  ReferencedImageSequence: [
    { ReferencedSOPInstanceUID: ["2.25.9"], ReferencedFrameNumber: [1, 2] },
    { ReferencedSOPInstanceUID: ["2.25.10"] },
  ],
  RecommendedDisplayFrameRateInFloat: [1.5],
};

describe("one data set in every native transfer syntax", () => {
  test.each([
    ["implicit little endian", "1.2.840.10008.1.2"],
    ["explicit little endian", EXPLICIT],
    ["explicit big endian", "1.2.840.10008.1.2.2"],
    ["deflated", "1.2.840.10008.1.2.1.99"],
  ])("%s, with lengths and with delimiters", (_, transferSyntaxUid) => {
    const withoutTag = elements.filter(({ vr }) => vr !== "AT");
    for (const undefinedLengths of [false, true]) {
      const file = readPart10(part10(withoutTag, transferSyntaxUid, undefinedLengths));
      expect(file.transferSyntaxUid).toBe(transferSyntaxUid);
      expect(file.dataSet).toEqual(read);
      expect(file.pixelData).toEqual({ vr: "OW", value: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]) });
    }
  });

  test("a tag as a value is 8 hex digits", () => {
    expect(readPart10(part10(elements)).dataSet.FrameIncrementPointer).toEqual(["00181063"]);
  });

  test("pixel data is a view on the file, not a copy", () => {
    const bytes = part10(elements);
    const { pixelData } = readPart10(bytes);
    expect(pixelData && "value" in pixelData && pixelData.value.buffer).toBe(bytes.buffer);
  });

  test("pixel data is left alone where only the header is asked for", () => {
    const cut = part10(elements).slice(0, -8);
    expect(readPart10(cut, { stopBeforePixels: true }).dataSet.Rows).toEqual([2]);
    expect(() => readPart10(cut)).toThrow(UnsupportedImageError);
  });
});

describe("what real files do", () => {
  test("private elements are keyed by their tag, and are bytes where implicit VR hides their kind", () => {
    const own = [rawElement(0x00290010, "LO", "ACME"), rawElement(0x00291010, "SH", "abcd")];
    expect(readPart10(part10(own)).dataSet).toEqual({ "00290010": ["ACME"], "00291010": ["abcd"] });
    expect(readPart10(part10(own, "1.2.840.10008.1.2")).dataSet).toEqual({
      "00290010": ["ACME"],
      "00291010": [new Uint8Array(Buffer.from("abcd"))],
    });
  });

  test("a sequence written as UN is read in implicit little endian", () => {
    const implicit = { explicitVr: false, littleEndian: true, undefinedLengths: true };
    const asSequence = encodeElements([element("ReferencedImageSequence", [[element("StudyID", "S1")]])], implicit);
    const asUnknown = Buffer.concat([
      asSequence.subarray(0, 4),
      Buffer.from("UN\0\0"),
      asSequence.subarray(4, 8),
      asSequence.subarray(8),
    ]);
    const { dataSet } = readPart10(part10([element("Modality", "CT")], EXPLICIT, false, asUnknown));
    expect(dataSet.ReferencedImageSequence).toEqual([{ StudyID: ["S1"] }]);
  });

  test("a standard element that came through as UN is read by its own VR", () => {
    expect(readPart10(part10([rawElement(0x00280010, "UN", Uint8Array.from([2, 1]))])).dataSet.Rows).toEqual([258]);
  });

  test("a file without preamble is read where it is a data set", () => {
    const bare = encodeElements([element("SOPClassUID", "1.2"), element("Modality", "CT")]);
    expect(readPart10(new Uint8Array(bare)).dataSet).toEqual({ SOPClassUID: ["1.2"], Modality: ["CT"] });
  });

  test("implicit VR is recognised under a transfer syntax that says explicit", () => {
    const implicit = part10([element("Modality", "CT")], "1.2.840.10008.1.2");
    const lying = part10([], EXPLICIT);
    const file = new Uint8Array(Buffer.concat([lying, implicit.subarray(-10)]));
    expect(readPart10(file).dataSet).toEqual({ Modality: ["CT"] });
  });

  test("encapsulated pixel data keeps its fragments and its offset table", () => {
    const pixels = encapsulated([Uint8Array.of(1, 2), Uint8Array.of(3, 4)], Uint8Array.of(0, 0, 0, 0, 10, 0, 0, 0));
    const { pixelData } = readPart10(part10([element("Modality", "CT")], "1.2.840.10008.1.2.4.90", false, pixels));
    expect(pixelData).toEqual({ fragments: [Uint8Array.of(1, 2), Uint8Array.of(3, 4)], offsetTable: [0, 10] });
  });

  test("zeros that fill the file up are not elements", () => {
    for (const zeros of [3, 7, 512]) {
      const { dataSet } = readPart10(part10([element("Modality", "CT")], EXPLICIT, false, new Uint8Array(zeros)));
      expect(dataSet).toEqual({ Modality: ["CT"] });
    }
  });

  test("text that is not a number is NaN, which no module takes for one", () => {
    expect(readPart10(part10([element("SliceThickness", "1,5"), element("InstanceNumber", "x\\3")])).dataSet).toEqual({
      SliceThickness: [Number.NaN],
      InstanceNumber: [Number.NaN, 3],
    });
  });
});

describe("what a file may not do", () => {
  const nested = (depth: number): RawElement =>
    element("ReferencedImageSequence", depth === 0 ? [] : [[nested(depth - 1)]]);
  const header = (vr: string, length: number) =>
    Buffer.concat([Buffer.from([0x10, 0, 0x20, 0]), Buffer.from(vr), Buffer.from([length & 0xff, length >> 8])]);

  test.each([
    ["nothing at all", new Uint8Array(0), "not-dicom"],
    ["another format", new Uint8Array(Buffer.from("\x89PNG\r\n\x1a\n".repeat(40))), "not-dicom"],
    ["no data set after its meta information", part10([]), "truncated"],
    ["an element longer than the file", part10([], EXPLICIT, false, header("LO", 60000)), "truncated"],
    ["an element header that is cut", part10([], EXPLICIT, false, header("LO", 2).subarray(0, 6)), "truncated"],
    [
      "a value representation that does not exist",
      part10([element("Modality", "CT")], EXPLICIT, false, header("Q?", 0)),
      "invalid-header",
    ],
    ["100 sequences inside each other", part10([nested(100)], EXPLICIT, true), "invalid-header"],
    ["numbers of a broken length", part10([rawElement(0x00280010, "US", Uint8Array.of(1, 2, 3))]), "invalid-header"],
    ["deflated bytes that are not", part10([], "1.2.840.10008.1.2.1.99", false).fill(0xff, -2), "truncated"],
    [
      "fragments without an end",
      part10([], EXPLICIT, false, encapsulated([Uint8Array.of(1, 2)]).subarray(0, -8)),
      "truncated",
    ],
  ])("%s is refused", (_, bytes, reason) => {
    expect(() => readPart10(bytes)).toThrow(expect.objectContaining({ name: "UnsupportedImageError", reason }));
  });

  test("an element may not be longer than the item that holds it", () => {
    const item = Buffer.concat([Buffer.from([0xfe, 0xff, 0, 0xe0, 8, 0, 0, 0]), header("LO", 100)]);
    const sequence = Buffer.concat([
      Buffer.from([8, 0, 0x40, 0x11]),
      Buffer.from("SQ\0\0"),
      Buffer.from([16, 0, 0, 0]),
      item,
    ]);
    const file = part10([element("Modality", "CT")], EXPLICIT, false, Buffer.concat([sequence, new Uint8Array(200)]));
    expect(() => readPart10(file)).toThrow(expect.objectContaining({ reason: "invalid-header" }));
  });

  test("a deflated bomb is stopped before it fills memory", () => {
    const bomb = part10([element("PixelData", new Uint8Array(300 * 2 ** 20))], "1.2.840.10008.1.2.1.99");
    expect(bomb.length).toBeLessThan(2 ** 20);
    expect(() => readPart10(bomb)).toThrow(expect.objectContaining({ reason: "too-large" }));
  });
});
