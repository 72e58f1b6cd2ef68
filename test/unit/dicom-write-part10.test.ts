import { describe, expect, test } from "vitest";
import { type Elements, readPart10, writePart10 } from "#converters/dicom/index.ts";
import { dcmdump, describeWithDcmtk } from "../fixtures/dicom-tools.ts";

const identity = { SOPClassUID: "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID: "2.25.1" };

function roundTrip(elements: Elements) {
  return readPart10(writePart10({ ...identity, ...elements })).dataSet;
}

/** The bytes of the only element beside the identity: tag, VR, length and value. */
function bytesOf(keyword: string, tag: readonly number[], elements: Elements): number[] {
  const file = writePart10({ ...identity, ...elements });
  const at = Buffer.from(file).indexOf(Buffer.from(tag));
  expect(at, keyword).toBeGreaterThan(0);
  return [...file.subarray(at)];
}

describe("a written file", () => {
  test("begins with 128 zero bytes, DICM, and file meta information that names us and the instance", () => {
    const file = writePart10(identity);
    expect(file.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
    expect(Buffer.from(file.subarray(128, 132)).toString()).toBe("DICM");
    const { meta, transferSyntaxUid } = readPart10(file);
    expect(transferSyntaxUid).toBe("1.2.840.10008.1.2.1");
    expect(meta.MediaStorageSOPClassUID).toEqual([identity.SOPClassUID]);
    expect(meta.MediaStorageSOPInstanceUID).toEqual([identity.SOPInstanceUID]);
    expect(meta.ImplementationVersionName).toEqual(["PARSE3D_0_1"]);
    expect(meta.ImplementationClassUID?.[0]).toMatch(/^2\.25\.\d{30,39}$/);
  });

  test("holds its elements in order of tag, whatever order they were given in", () => {
    const file = Buffer.from(writePart10({ Rows: 2, PatientID: "P", ...identity, Columns: 3, Modality: "CT" }));
    const places = [
      [0x08, 0x00, 0x05, 0x00],
      [0x08, 0x00, 0x16, 0x00],
      [0x08, 0x00, 0x60, 0x00],
      [0x10, 0x00, 0x20, 0x00],
      [0x28, 0x00, 0x10, 0x00],
      [0x28, 0x00, 0x11, 0x00],
    ].map((tag) => file.indexOf(Buffer.from(tag), 300));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places.every((place) => place > 0)).toBe(true);
  });

  test("gives back every kind of value", () => {
    const elements: Elements = {
      PatientName: "Müller^Jörg=山田^太郎",
      ImageType: ["DERIVED", "PRIMARY"],
      ImagePositionPatient: [-1.5, 0, 1e-7],
      NumberOfFrames: 12,
      Rows: 65535,
      DimensionIndexValues: [1, 4294967295],
      DimensionIndexPointer: "0062000B",
      RealWorldValueSlope: 0.1,
      RecommendedDisplayCIELabValue: [1, 2, 3],
      TrackingID: "an id with \\ in it",
      ICCProfile: Uint8Array.of(1, 2, 3, 4),
      StudyID: "",
      ReferencedSeriesSequence: [
        { SeriesInstanceUID: "2.25.7", ReferencedInstanceSequence: [{ ReferencedSOPInstanceUID: "2.25.8" }] },
        {},
      ],
      SourceImageSequence: [],
    };
    const read = roundTrip(elements);
    expect(read.PatientName).toEqual(["Müller^Jörg=山田^太郎"]);
    expect(read.ImageType).toEqual(["DERIVED", "PRIMARY"]);
    expect(read.ImagePositionPatient).toEqual([-1.5, 0, 1e-7]);
    expect(read.NumberOfFrames).toEqual([12]);
    expect(read.Rows).toEqual([65535]);
    expect(read.DimensionIndexValues).toEqual([1, 4294967295]);
    expect(read.DimensionIndexPointer).toEqual(["0062000B"]);
    expect(read.RealWorldValueSlope).toEqual([0.1]);
    expect(read.TrackingID).toEqual(["an id with \\ in it"]);
    expect([...(read.ICCProfile![0] as Uint8Array)]).toEqual([1, 2, 3, 4]);
    expect(read.StudyID).toEqual([]);
    expect(read.ReferencedSeriesSequence).toEqual([
      {
        SeriesInstanceUID: ["2.25.7"],
        ReferencedInstanceSequence: [{ ReferencedSOPInstanceUID: ["2.25.8"] }],
      },
      {},
    ]);
    expect(read.SourceImageSequence).toEqual([]);
    expect(read.SpecificCharacterSet).toEqual(["ISO_IR 192"]);
  });

  test("leaves out what is undefined", () => {
    expect(roundTrip({ StudyID: undefined })).not.toHaveProperty("StudyID");
  });

  test("pads text with a space, UIDs and bytes with a zero", () => {
    expect(bytesOf("PatientID", [0x10, 0x00, 0x20, 0x00], { PatientID: "ABC" }).slice(4, 12)).toEqual([
      ..."LO".split("").map((c) => c.charCodeAt(0)),
      ...[4, 0, 65, 66, 67, 0x20],
    ]);
    expect(bytesOf("StudyInstanceUID", [0x20, 0x00, 0x0d, 0x00], { StudyInstanceUID: "2.2" }).slice(6, 12)).toEqual([
      ...[4, 0, 0x32, 0x2e, 0x32, 0],
    ]);
    const pixels = bytesOf("PixelData", [0xe0, 0x7f, 0x10, 0x00], { PixelData: Uint8Array.of(9), BitsAllocated: 8 });
    expect(pixels.slice(4)).toEqual([0x4f, 0x42, 0, 0, 2, 0, 0, 0, 9, 0]);
  });

  test("writes pixels of more than 8 bits as OW", () => {
    const pixels = bytesOf("PixelData", [0xe0, 0x7f, 0x10, 0x00], { PixelData: new Uint8Array(2), BitsAllocated: 16 });
    expect(String.fromCharCode(...pixels.slice(4, 6))).toBe("OW");
  });

  test.each([
    [0, "US"],
    [1, "SS"],
  ])("writes the padding value as Pixel Representation %i says: %s", (PixelRepresentation, vr) => {
    const tag = [0x28, 0x00, 0x20, 0x01];
    const element = bytesOf("PixelPaddingValue", tag, { PixelRepresentation, PixelPaddingValue: 5 });
    expect(String.fromCharCode(...element.slice(4, 6))).toBe(vr);
  });

  test("a pixel representation holds for the items of sequences too", () => {
    const { dataSet } = readPart10(
      writePart10({
        ...identity,
        PixelRepresentation: 1,
        RealWorldValueMappingSequence: [{ RealWorldValueFirstValueMapped: -7 }],
      }),
    );
    expect(dataSet.RealWorldValueMappingSequence).toEqual([{ RealWorldValueFirstValueMapped: [-7] }]);
  });
});

describe("decimal strings", () => {
  const written = (value: number) => {
    const file = writePart10({ ...identity, SliceThickness: value });
    const at = Buffer.from(file).indexOf(Buffer.from([0x18, 0x00, 0x50, 0x00]));
    const length = Buffer.from(file).readUInt16LE(at + 6);
    return Buffer.from(file.subarray(at + 8, at + 8 + length)).toString();
  };

  test.each([
    [0.1, "0.1 "],
    [-0, "0 "],
    [1 / 3, "0.33333333333333"],
    [-1 / 3, "-0.3333333333333"],
    [-123.45678901234568, "-123.45678901235"],
    [1e21, "1e21"],
    [-1.2345678901234566e-7, "-1.234567890e-7"],
    [123456789012345680, "1.2345678901e17"],
  ])("%d is written as the nearest number that 16 characters hold", (value, text) => {
    const found = written(value);
    expect(found.trim().length).toBeLessThanOrEqual(16);
    expect(Math.abs(Number(found) - value)).toBeLessThanOrEqual(Math.abs(Number(text) - value));
  });

  test.each([Number.NaN, Infinity])("%d is refused", (value) => {
    expect(() => written(value)).toThrow(RangeError);
  });
});

describe("the writer refuses", () => {
  test.each([
    ["a keyword that PS3.6 does not know", { PatientsFavouriteColour: "red" }],
    ["an element of the file meta information", { TransferSyntaxUID: "1.2" }],
    ["a UID with letters", { StudyInstanceUID: "2.25.x" }],
    ["a backslash within one value", { PatientID: "a\\b" }],
    ["a number where text belongs", { PatientID: 5 }],
    ["text where a number belongs", { Rows: "5" }],
    ["a number beyond its VR", { Rows: 65536 }],
    ["a fraction where an integer belongs", { NumberOfFrames: 1.5 }],
    ["a value where a sequence belongs", { SegmentSequence: "x" }],
    ["a sequence where a value belongs", { PatientID: [{ PatientID: "x" }] }],
    ["numbers where bytes belong", { PixelData: [1, 2] }],
    ["a text longer than 16 bits can count", { SeriesDescription: "x".repeat(70_000) }],
    ["an object without identity", { SOPInstanceUID: undefined }],
  ] as const)("%s", (_what, elements) => {
    expect(() => writePart10({ ...identity, ...(elements as Elements) })).toThrow(RangeError);
  });

  test("without showing the value, which may be a patient's", () => {
    expect(() => writePart10({ ...identity, PatientID: "SECRET\\X" })).toThrow(/^(?!.*SECRET)/);
  });
});

describeWithDcmtk("dcmtk", () => {
  test("parses the file to its end", () => {
    const file = writePart10({ ...identity, PatientName: "A^B", SegmentSequence: [{ SegmentNumber: 1 }, {}] });
    const { status, lines } = dcmdump(file);
    expect(status).toBe(0);
    expect(lines.filter((line) => /^[EW]:/.test(line))).toEqual([]);
    expect(lines.some((line) => line.includes("[A^B]"))).toBe(true);
  });
});
