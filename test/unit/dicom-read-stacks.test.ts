import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { column, transformPoint } from "#converters/geometry/index.ts";
import { type Changes, columns, rows } from "../fixtures/ct-slices.ts";
import { item, NM, SC, stackedImage, US, volumeGroups } from "../fixtures/stacked-images.ts";

const perSlice = rows * columns;

const valuesOf = (volume: Awaited<ReturnType<typeof decodeSeries>>["volume"]) =>
  Array.from({ length: volume.geometry.size[2] }, (_, k) => volume.voxels[k * perSlice]);

describe("nuclear medicine", () => {
  test("of reconstructed slices is a volume from the detector's position on, along row x column", async () => {
    const { volume } = await decodeSeries([stackedImage([1, 2, 3, 4], NM)]);
    expect(volume.geometry.size).toEqual([columns, rows, 4]);
    // Rows run to the left and columns to the feet: their normal is to the back.
    expect(column(volume.geometry.ijkToLps, 2)).toEqual([0, 4, 0]);
    expect(transformPoint(volume.geometry.ijkToLps, [0, 0, 0])).toEqual([10, 20, 30]);
    expect(valuesOf(volume)).toEqual([1, 2, 3, 4]);
    expect(volume.sources.map(({ frame }) => frame)).toEqual([1, 2, 3, 4]);
  });

  test("with a negative spacing lies in front of the first slice", async () => {
    const { volume } = await decodeSeries([stackedImage([1, 2, 3, 4], { ...NM, SpacingBetweenSlices: "-4" })]);
    expect(transformPoint(volume.geometry.ijkToLps, [0, 0, 3])).toEqual([10, 20, 30]);
    expect(valuesOf(volume)).toEqual([4, 3, 2, 1]);
    expect(volume.sources.map(({ frame }) => frame)).toEqual([4, 3, 2, 1]);
  });

  test("takes the place of each frame from the Slice Vector", async () => {
    const { volume } = await decodeSeries([stackedImage([1, 2, 3, 4], { ...NM, SliceVector: [2, 1, 4, 3] })]);
    expect(valuesOf(volume)).toEqual([2, 1, 4, 3]);
  });

  test("that is gated gives one time slot, by number", async () => {
    const gated: Changes = {
      ...NM,
      ImageType: "ORIGINAL\\PRIMARY\\RECON GATED TOMO\\EMISSION",
      NumberOfSlices: 3,
      SliceVector: [1, 2, 3, 1, 2, 3],
      TimeSlotVector: [1, 1, 1, 2, 2, 2],
    };
    const second = await decodeSeries([stackedImage([1, 2, 3, 11, 12, 13], gated)], { volume: 1 });
    expect(valuesOf(second.volume)).toEqual([11, 12, 13]);
    expect(second.notes.join()).toContain("temporal position; volume 1 was read");
  });

  test("of two energy windows gives one of them", async () => {
    const windows = {
      ...NM,
      NumberOfSlices: 3,
      SliceVector: [1, 2, 3, 1, 2, 3],
      EnergyWindowVector: [1, 1, 1, 2, 2, 2],
    };
    const first = await decodeSeries([stackedImage([1, 2, 3, 11, 12, 13], windows)]);
    expect(valuesOf(first.volume)).toEqual([1, 2, 3]);
    expect(first.notes.join()).toContain("energy window; volume 0");
  });

  test.each<[string, Changes, string, RegExp]>([
    [
      "projections",
      { ImageType: "ORIGINAL\\PRIMARY\\TOMO\\EMISSION" },
      "unsupported-object",
      /\(TOMO\), but not of rec/,
    ],
    ["planar images", { ImageType: "ORIGINAL\\PRIMARY\\STATIC\\EMISSION" }, "unsupported-object", /\(STATIC\)/],
    ["slices at an unknown distance", { SpacingBetweenSlices: undefined }, "missing-geometry", /how far apart/],
    ["slices without a position", { DetectorInformationSequence: [] }, "missing-geometry", /ImagePositionPatient/],
    ["a vector of another length", { SliceVector: [1, 2, 3] }, "unreadable-instance", /Slice Vector of 3/],
    ["frames that are not there", { NumberOfFrames: "2000000000" }, "corrupt-pixel-data", /bytes where/],
  ])("of %s is refused", async (_, changes, reason, message) => {
    const refusal = decodeSeries([stackedImage([1, 2, 3, 4], { ...NM, ...changes })]);
    await expect(refusal).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
  });
});

describe("ultrasound", () => {
  const region = item({
    PhysicalUnitsXDirection: 3,
    PhysicalUnitsYDirection: 3,
    PhysicalDeltaX: [0.02],
    PhysicalDeltaY: [0.03],
  });

  test("of several frames with their spacing is a volume, in axes of its own that the answer names", async () => {
    const { volume, notes } = await decodeSeries([stackedImage([1, 2, 3], { ...US, SpacingBetweenSlices: "0.4" })]);
    expect([0, 1, 2].map((n) => Math.hypot(...column(volume.geometry.ijkToLps, n as 0 | 1 | 2)))).toEqual([
      0.75, 0.5, 0.4,
    ]);
    expect(valuesOf(volume)).toEqual([1, 2, 3]);
    expect(notes.join()).toContain("does not say where it lies in the patient");
  });

  test("takes the size of its pixels from the calibration of its region", async () => {
    const swept = {
      ...US,
      SpacingBetweenSlices: "0.4",
      PixelSpacing: undefined,
      SequenceOfUltrasoundRegions: [region],
    };
    const { volume } = await decodeSeries([stackedImage([1, 2, 3], swept)]);
    const [i, j] = [column(volume.geometry.ijkToLps, 0), column(volume.geometry.ijkToLps, 1)];
    expect(i[0]).toBeCloseTo(0.2);
    expect(j[1]).toBeCloseTo(0.3);
  });

  test.each<[string, Changes, string]>([
    ["a film", {}, "missing-geometry"],
    ["frames without a pixel size", { SpacingBetweenSlices: "0.4", PixelSpacing: undefined }, "missing-geometry"],
    [
      "colour",
      { SpacingBetweenSlices: "0.4", SamplesPerPixel: 3, PhotometricInterpretation: "RGB" },
      "unsupported-photometric",
    ],
  ])("that is %s is refused", async (_, changes, reason) => {
    await expect(decodeSeries([stackedImage([1, 2, 3], { ...US, ...changes })])).rejects.toMatchObject({ reason });
  });

  test("of an Enhanced US Volume lies in the volume's own frame of reference", async () => {
    const enhanced = {
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.6.2",
      Modality: "US",
      PixelSpacing: undefined,
      FrameOfReferenceUID: undefined,
      VolumeFrameOfReferenceUID: "2.25.77",
      ...volumeGroups([2, 0, 1], 0.25),
    };
    const { volume } = await decodeSeries([stackedImage([12, 10, 11], enhanced)]);
    expect(valuesOf(volume)).toEqual([10, 11, 12]);
    expect(volume.geometry.frameOfReferenceUid).toBe("2.25.77");
    expect(transformPoint(volume.geometry.ijkToLps, [0, 0, 2])).toEqual([-5, -6, 0.5]);
  });
});

describe("a multi-frame secondary capture in grey", () => {
  test("with a position for each frame is a volume", async () => {
    const groups = {
      SharedFunctionalGroupsSequence: [
        item({
          PixelMeasuresSequence: [item({ PixelSpacing: "0.5\\0.75" })],
          PlaneOrientationSequence: [item({ ImageOrientationPatient: "1\\0\\0\\0\\1\\0" })],
        }),
      ],
      PerFrameFunctionalGroupsSequence: [2, 0, 1].map((k) =>
        item({ PlanePositionSequence: [item({ ImagePositionPatient: `0\\0\\${k}` })] }),
      ),
    };
    const { volume } = await decodeSeries([stackedImage([12, 10, 11], { ...SC, PixelSpacing: undefined, ...groups })]);
    expect(valuesOf(volume)).toEqual([10, 11, 12]);
    expect(volume.unit).toBe("arbitrary");
  });

  test("with one position and a spacing is a stack from there on", async () => {
    const placed = {
      ...SC,
      ImagePositionPatient: "1\\2\\3",
      ImageOrientationPatient: "1\\0\\0\\0\\1\\0",
      SpacingBetweenSlices: "2",
    };
    const { volume, notes } = await decodeSeries([stackedImage([1, 2, 3], placed)]);
    expect(transformPoint(volume.geometry.ijkToLps, [0, 0, 2])).toEqual([1, 2, 7]);
    expect(notes).toEqual([]);
  });

  test("without a position is refused", async () => {
    const screenshots = stackedImage([1, 2, 3], { ...SC, SpacingBetweenSlices: "2" });
    await expect(decodeSeries([screenshots])).rejects.toMatchObject({ reason: "missing-geometry" });
  });
});
