import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { type SeriesFault, UnsupportedSeriesError } from "#converters/errors.ts";
import { transformPoint } from "#converters/geometry/index.ts";
import {
  axial,
  type Changes,
  columns,
  ctElements,
  ctSeries,
  ctSlice,
  rows,
  storedValue,
} from "../fixtures/ct-slices.ts";
import { element, encapsulated, part10 } from "../fixtures/dicom-file.ts";

async function refusal(instances: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<UnsupportedSeriesError> {
  try {
    await decodeSeries(instances);
  } catch (error) {
    if (error instanceof UnsupportedSeriesError) return error;
    throw error;
  }
  throw new Error("the series was read");
}

function seriesWith(k: number, changes: Changes): Uint8Array[] {
  return ctSeries().map((slice, n) => (n === k ? ctSlice(k, axial, changes) : slice));
}

describe("a regular series", () => {
  test("has its grid in LPS, its values in HU and its instances by slice", async () => {
    const { volume, notes } = await decodeSeries(ctSeries().reverse());
    expect(volume.geometry.size).toEqual([columns, rows, axial.slices]);
    expect(volume.geometry.frameOfReferenceUid).toBe("2.25.3");
    expect(transformPoint(volume.geometry.ijkToLps, [0, 0, 0])).toEqual([-10, -20, 30]);
    expect(transformPoint(volume.geometry.ijkToLps, [1, 2, 3])).toEqual([-9.25, -19, 37.5]);
    expect(volume.unit).toBe("HU");
    expect(volume.modality).toBe("CT");
    expect(volume.voxels).toBeInstanceOf(Int16Array);
    for (let k = 0; k < axial.slices; k++) {
      expect(volume.voxels[k * rows * columns]).toBe(1000 - 1024);
      expect(volume.voxels[k * rows * columns + 1]).toBe(storedValue(k) - 1024);
      expect(volume.sources[k]).toEqual({
        sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
        sopInstanceUid: `2.25.4.${k + 1}`,
        sliceIndex: k,
        positionLps: [-10, -20, 30 + 2.5 * k],
      });
    }
    expect(notes).toEqual([]);
  });

  test("gives the header that derived objects copy, decoded", async () => {
    const { header } = await decodeSeries(
      ctSeries().map((_, k) =>
        ctSlice(k, axial, { SpecificCharacterSet: "ISO_IR 100", PatientName: "Buc^J\xe9r\xf4me", PatientWeight: "x" }),
      ),
    );
    expect(header.patient.PatientName).toBe("Buc^Jérôme");
    expect(header.patient.PatientID).toBe("P1");
    expect(header.patientStudy.PatientWeight).toBeUndefined();
    expect(header.study.StudyInstanceUID).toBe("2.25.1");
    expect(header.series).toMatchObject({ SeriesInstanceUID: "2.25.2", Modality: "CT" });
    expect(header.frameOfReference.FrameOfReferenceUID).toBe("2.25.3");
  });

  test("without a frame of reference gets one that depends on the series alone, and says so", async () => {
    const without = (series: string) =>
      ctSeries().map((_, k) => ctSlice(k, axial, { FrameOfReferenceUID: undefined, SeriesInstanceUID: series }));
    const [once, again, other] = [
      await decodeSeries(without("2.25.2")),
      await decodeSeries(without("2.25.2")),
      await decodeSeries(without("2.25.7")),
    ];
    const uid = once.volume.geometry.frameOfReferenceUid;
    expect(uid).toMatch(/^2\.25\.[1-9][0-9]{1,38}$/);
    expect(once.header.frameOfReference.FrameOfReferenceUID).toBe(uid);
    expect(again.volume.geometry.frameOfReferenceUid).toBe(uid);
    expect(other.volume.geometry.frameOfReferenceUid).not.toBe(uid);
    expect(once.notes.join()).toContain("Frame of Reference");
  });

  test("comes as a stream too, and counts as it goes", async () => {
    const counts: number[] = [];
    async function* stream() {
      yield* ctSeries();
    }
    await decodeSeries(stream(), { onInstance: (decoded) => counts.push(decoded) });
    expect(counts).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("stops when it is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("cancelled");
    const abortAtSecond = (decoded: number) => {
      if (decoded === 2) controller.abort(reason);
    };
    const decoding = decodeSeries(ctSeries(), { signal: controller.signal, onInstance: abortAtSecond });
    await expect(decoding).rejects.toBe(reason);
  });
});

describe("units", () => {
  const PET = "1.2.840.10008.5.1.4.1.1.128";
  test.each([
    ["PET in g/mL", { SOPClassUID: PET, Modality: "PT", Units: "GML" }, "SUV"],
    ["PET activity", { SOPClassUID: PET, Modality: "PT", Units: "BQML" }, "Bq/mL"],
    ["PET counts", { SOPClassUID: PET, Modality: "PT", Units: "CNTS" }, "arbitrary"],
    ["MR", { SOPClassUID: "1.2.840.10008.5.1.4.1.1.4", Modality: "MR" }, "arbitrary"],
    ["CT that is no Hounsfield map", { RescaleType: "Z_EFF" }, "arbitrary"],
  ])("%s", async (_, changes, unit) => {
    const { volume } = await decodeSeries(ctSeries().map((_slice, k) => ctSlice(k, axial, changes)));
    expect(volume.unit).toBe(unit);
  });
});

describe("one instance that cannot be a slice", () => {
  const cut = ctSlice(3).slice(0, -10);
  const words = new Uint8Array(rows * columns * 2);
  const j2k = "1.2.840.10008.1.2.4.90";
  const compressed = (frame: Uint8Array, transferSyntax = j2k) =>
    part10(ctElements(3, axial, { PixelData: undefined }), transferSyntax, false, encapsulated([frame]));

  test.each<[string, Uint8Array, SeriesFault, RegExp]>([
    ["cut short", cut, "unreadable-instance", /cut short/],
    ["no DICOM", new Uint8Array(500), "unreadable-instance", /not a DICOM file/],
    ["without Bits Stored", ctSlice(3, axial, { BitsStored: undefined }), "unreadable-instance", /BitsStored/],
    ["of impossible bits", ctSlice(3, axial, { HighBit: 3 }), "unreadable-instance", /12 bits stored up to bit 3/],
    ["of no rows", ctSlice(3, axial, { Rows: 0 }), "unreadable-instance", /no rows/],
    [
      "with a slope that is no number",
      ctSlice(3, axial, { RescaleSlope: "1,5" }),
      "unreadable-instance",
      /RescaleSlope/,
    ],
    ["without pixel data", ctSlice(3, axial, { PixelData: undefined }), "unreadable-instance", /no pixel data/],
    ["with too few pixels", ctSlice(3, axial, { PixelData: words.slice(2) }), "corrupt-pixel-data", /38 bytes.*40/],
    ["of a broken code stream", compressed(new Uint8Array(64)), "corrupt-pixel-data", /JPEG 2000/],
    ["without UIDs", ctSlice(3, axial, { SOPInstanceUID: "" }), "missing-identifiers", /SOPInstanceUID/],
    ["of another series", ctSlice(3, axial, { SeriesInstanceUID: "2.25.77" }), "mixed-series", /another series/],
    ["of another study", ctSlice(3, axial, { StudyInstanceUID: "2.25.77" }), "mixed-series", /another study/],
    [
      "that is a SEG",
      ctSlice(3, axial, { SOPClassUID: "1.2.840.10008.5.1.4.1.1.66.4" }),
      "non-image-object",
      /Segmentation/,
    ],
    ["that is a report", ctSlice(3, axial, { SOPClassUID: "1.2.840.10008.5.1.4.1.1.88.33" }), "non-image-object", /SR/],
    ["of unknown kind", ctSlice(3, axial, { SOPClassUID: "1.2.3" }), "unsupported-object", /SOP class 1\.2\.3/],
    ["of several frames", ctSlice(3, axial, { NumberOfFrames: "2" }), "unsupported-object", /several frames/],
    [
      "that is a mosaic",
      ctSlice(3, axial, { ImageType: "ORIGINAL\\PRIMARY\\M\\MOSAIC" }),
      "unsupported-object",
      /mosaic/,
    ],
    ["in JPEG XL", compressed(words, "1.2.840.10008.1.2.4.110"), "unsupported-transfer-syntax", /JPEG XL Lossless/],
    ["of broken JPEG-LS", compressed(words, "1.2.840.10008.1.2.4.80"), "corrupt-pixel-data", /JPEG/],
    [
      "in colour",
      ctSlice(3, axial, { SamplesPerPixel: 3, PhotometricInterpretation: "RGB" }),
      "unsupported-photometric",
      /RGB/,
    ],
    ["without a position", ctSlice(3, axial, { ImagePositionPatient: "" }), "missing-geometry", /ImagePositionPatient/],
    [
      "of skewed axes",
      ctSlice(3, axial, { ImageOrientationPatient: "1\\0\\0\\1\\0\\0" }),
      "missing-geometry",
      /right angle/,
    ],
    ["of no spacing", ctSlice(3, axial, { PixelSpacing: "0\\1" }), "missing-geometry", /spacing/],
    ["of 65535x65535 pixels", ctSlice(3, axial, { Rows: 65535, Columns: 65535 }), "too-large", /65535x65535/],
  ])("%s refuses the series and is named", async (_, instance, reason, words) => {
    const error = await refusal(ctSeries().map((slice, k) => (k === 3 ? instance : slice)));
    expect(error.reason).toBe(reason);
    expect(error.message).toMatch(words);
    expect(error.message).toContain("Instance 4 of 6 as received");
    expect(error.details).toMatchObject({ reason, instance: 4, instances: 6 });
    expect(error.message).not.toMatch(/2\.25\.|P1|Test/);
  });

  test("is counted in a stream whose length nobody knows", async () => {
    async function* stream() {
      yield* seriesWith(3, { PixelData: undefined });
    }
    expect((await refusal(stream())).message).toContain("Instance 4 of 6 as received");
  });

  test("that declares a huge code stream is refused before it is decoded", async () => {
    const bomb = new Uint8Array(60);
    new DataView(bomb.buffer).setUint32(0, 0xff4fff51);
    for (const at of [8, 12, 24, 28]) new DataView(bomb.buffer).setUint32(at, 60000);
    bomb.set([0, 1, 15, 1, 1], 40);
    const error = await refusal(ctSeries().map((slice, k) => (k === 3 ? compressed(bomb) : slice)));
    expect(error.reason).toBe("corrupt-pixel-data");
    expect(error.message).toContain("60000x60000");
  });
});

describe("instances that are no regular volume together", () => {
  const at = (z: number, changes: Changes = {}) =>
    ctSlice(0, axial, { ImagePositionPatient: `0\\0\\${z}`, ...changes });
  const oblique = "1\\0\\0\\0\\0.984807753\\0.173648178";

  test.each<[string, Uint8Array[], SeriesFault, RegExp, Record<string, unknown>]>([
    ["none", [], "empty-series", /no instances/, {}],
    ["two", [at(0), at(1)], "too-few-slices", /2 slices/, { slices: 2 }],
    [
      "one missing",
      [at(0), at(2), at(6), at(8)],
      "missing-slice",
      /slice 2 of 4.*4\.00 mm.*2\.00 mm/,
      { missing: 1, afterSlice: 2 },
    ],
    ["three missing", [at(0), at(2), at(6), at(8), at(14)], "missing-slice", /3 slices/, { missing: 3, afterSlice: 2 }],
    [
      "uneven gaps",
      [at(0), at(2), at(4), at(7), at(9)],
      "non-uniform-spacing",
      /slice 3 of 5.*3\.00 mm/,
      { uneven: 1, afterSlice: 3 },
    ],
    ["one sent twice", [at(0), at(2), at(2), at(4)], "duplicate-position", /position 2 of 3/, { position: 2 }],
    ["all at one place", [at(5), at(5), at(5)], "single-position", /All 3 slices/, { slices: 3 }],
    [
      "two volumes",
      [at(0), at(2), at(4), at(0), at(2), at(4)],
      "several-volumes",
      /2 volumes/,
      { positions: 3, volumes: 2 },
    ],
    [
      "two orientations",
      [at(0), at(2), at(4), at(6, { ImageOrientationPatient: oblique })],
      "mixed-orientation",
      /3, 1 slices.*10\.0 degrees/,
      { orientations: 2 },
    ],
    ["two matrices", [at(0), at(2), at(4, { Rows: 2 })], "mixed-size", /2 of 5x4 pixels, 1 of 5x2/, {}],
    ["two pixel spacings", [at(0), at(2), at(4, { PixelSpacing: "0.5\\0.8" })], "mixed-size", /0\.8000x0\.5000 mm/, {}],
    [
      "two frames of reference",
      [at(0), at(2), at(4, { FrameOfReferenceUID: "2.25.8" })],
      "multiple-frames-of-reference",
      /2 frames/,
      {},
    ],
    [
      "a tilted gantry",
      [0, 1, 2, 3].map((k) => ctSlice(0, axial, { ImagePositionPatient: `0\\${k}\\${k * 5}` })),
      "gantry-tilt",
      /11\.3 degrees.*1\.00 mm sideways/,
      { shiftMm: 1 },
    ],
    [
      "a slice that jumped sideways",
      [0, 1, 2, 3].map((k) => ctSlice(0, axial, { ImagePositionPatient: `${k === 2 ? 1 : 0}\\0\\${k * 5}` })),
      "non-uniform-spacing",
      /Slice 3 of 4.*1\.00 mm sideways/,
      { slice: 3 },
    ],
  ])("%s", async (_, instances, reason, words, figures) => {
    const error = await refusal(instances);
    expect(error.reason).toBe(reason);
    expect(error.message).toMatch(words);
    expect(error.details).toMatchObject(figures);
  });

  test("rounding of positions is not unevenness", async () => {
    const rounded = Array.from({ length: 40 }, (_, k) => at(Number((k * 0.6667).toFixed(3))));
    await expect(decodeSeries(rounded)).resolves.toBeDefined();
  });
});

test("an element that no schema asks for does not matter", async () => {
  const extra = ctSeries().map((_, k) => part10([...ctElements(k), element("PatientComments", "x")]));
  await expect(decodeSeries(extra)).resolves.toBeDefined();
});
