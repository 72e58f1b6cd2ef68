import { expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { axial, ctElements } from "../fixtures/ct-slices.ts";
import { element, part10, rawElement } from "../fixtures/dicom-file.ts";
import { describeWithPython } from "../fixtures/python-checks.ts";
import { readByPython } from "../fixtures/python-files.ts";

const EXPLICIT = "1.2.840.10008.1.2.1";
const entries = Array.from({ length: 256 }, (_, n) => (n * n) % 60_000);

/** A series whose first voxels are stored -3 (or 3) to 1000, with a table for 256 values from `first` on. */
function series(first: number, signed: boolean, vr: "US" | "OW", transferSyntaxUid: string): Uint8Array[] {
  const stored = [signed ? -3 : 3, 0, 1, 99, 100, 101, 254, 255, 256, 1000];
  const words = Int16Array.from({ length: 20 }, (_, n) => stored[n % stored.length]!);
  const data = vr === "US" ? entries : new Uint8Array(Uint16Array.from(entries).buffer);
  const table = [
    rawElement(0x00283002, signed ? "SS" : "US", [256, first & 0xffff, 16]),
    element("ModalityLUTType", "US"),
    rawElement(0x00283006, vr, data),
  ];
  return Array.from({ length: axial.slices }, (_, k) =>
    part10(
      ctElements(k, axial, {
        SOPClassUID: "1.2.840.10008.5.1.4.1.1.7",
        Modality: "OT",
        BitsStored: 16,
        HighBit: 15,
        PixelRepresentation: signed ? 1 : 0,
        RescaleSlope: undefined,
        RescaleIntercept: undefined,
        ModalityLUTSequence: [table],
        PixelData: new Uint8Array(words.buffer),
      }),
      transferSyntaxUid,
    ),
  );
}

describeWithPython("a Modality LUT as pydicom applies it", () => {
  test.each([
    ["unsigned, words", 0, false, "US", EXPLICIT],
    ["unsigned, bytes of words", 100, false, "OW", EXPLICIT],
    ["signed, from a negative value on", -2, true, "OW", EXPLICIT],
    ["implicit VR, where only the sign of pixels tells that of the first value", -2, true, "OW", "1.2.840.10008.1.2"],
    ["big endian", 100, false, "OW", "1.2.840.10008.1.2.2"],
  ] as const)("%s", async (_, first, signed, vr, transferSyntaxUid) => {
    const files = series(first, signed, vr, transferSyntaxUid);
    const { volume } = await decodeSeries(files);
    const theirs = readByPython(
      "modality_lut.py",
      files.map((part10) => ({ part10 })),
    ) as readonly (readonly number[])[];
    expect([...volume.voxels]).toEqual(theirs.flat());
  });
});
