import { describe, expect, test } from "vitest";
import {
  decodeSeg,
  type Elements,
  encodeSeg,
  maskOnto,
  segToLabelVolume,
  writePart10,
} from "#converters/dicom/index.ts";
import { fromColumns, type Vec3, type VolumeGeometry } from "#converters/geometry/index.ts";
import { ellipsoid, geometryOf, segInput, segmentOf } from "../fixtures/seg-cases.ts";

const size: Vec3 = [5, 7, 4];
const geometry = geometryOf("axial", size);
const skull = segmentOf("skull", ellipsoid(size, [0.5, 0.5, 0.5], 0.4), 1);
const seg = () => encodeSeg(segInput(geometry, [skull]));

/** A label map or a fractional SEG of 2 x 2 pixels on 2 slices, as another producer would write it. */
function foreign(overrides: Elements): Uint8Array {
  const frame = (n: number): Elements => ({
    PlanePositionSequence: [{ ImagePositionPatient: [0, 0, 3 * n] }],
  });
  return writePart10({
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.66.7",
    SOPInstanceUID: "2.25.1",
    SegmentationType: "LABELMAP",
    BitsAllocated: 8,
    Rows: 2,
    Columns: 2,
    NumberOfFrames: 2,
    SharedFunctionalGroupsSequence: [
      {
        PlaneOrientationSequence: [{ ImageOrientationPatient: [1, 0, 0, 0, 1, 0] }],
        PixelMeasuresSequence: [{ PixelSpacing: [1, 1], SliceThickness: 3 }],
      },
    ],
    PerFrameFunctionalGroupsSequence: [frame(1), frame(0)],
    SegmentSequence: [0, 1, 2].map((n) => ({ SegmentNumber: n, SegmentLabel: `label ${n}` })),
    PixelData: Uint8Array.of(0, 1, 2, 2, 1, 0, 0, 0),
    ...overrides,
  });
}

describe("a label map of another producer", () => {
  test("is read by label, with frames in any order", () => {
    const { volume, labels } = segToLabelVolume(decodeSeg(foreign({})));
    expect([...volume.voxels]).toEqual([1, 0, 0, 0, 0, 1, 2, 2]);
    expect(volume.geometry.ijkToLps.slice(8, 12)).toEqual([0, 0, 3, 0]);
    expect(labels).toEqual([
      { value: 1, name: "label 1" },
      { value: 2, name: "label 2" },
    ]);
  });

  test("of 16 bits keeps labels beyond 255", () => {
    const decoded = decodeSeg(
      foreign({
        BitsAllocated: 16,
        SegmentSequence: [{ SegmentNumber: 300, SegmentLabel: "a" }],
        PixelData: new Uint8Array(Uint16Array.of(300, 0, 0, 0, 0, 0, 300, 300).buffer),
      }),
    );
    expect([...segToLabelVolume(decoded).volume.voxels]).toEqual([0, 0, 300, 300, 300, 0, 0, 0]);
    expect([...maskOnto(decoded, 300, decoded.geometry!).bits]).toEqual([0b00011100]);
    expect(() => decoded.framePixels(0)).toThrow(RangeError);
  });
});

test("slices a hundred times thinner than a pixel is wide stay slices", () => {
  const fine: VolumeGeometry = { ...geometry, ijkToLps: fromColumns([1, 0, 0], [0, 1, 0], [0, 0, 0.01], [0, 0, 0]) };
  const decoded = decodeSeg(encodeSeg(segInput(fine, [skull])));
  expect(decoded.geometry?.size).toEqual(size);
  expect([...maskOnto(decoded, 1, fine).bits]).toEqual([...skull.mask.bits]);
});

test("fractions of one half and more belong to the segment", () => {
  const frames = [1, 0].map((n) => ({
    PlanePositionSequence: [{ ImagePositionPatient: [0, 0, 3 * n] }],
    SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
  }));
  const decoded = decodeSeg(
    foreign({
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.66.4",
      SegmentationType: "FRACTIONAL",
      MaximumFractionalValue: 100,
      PerFrameFunctionalGroupsSequence: frames,
      SegmentSequence: [{ SegmentNumber: 1, SegmentLabel: "a" }],
      PixelData: Uint8Array.of(0, 49, 50, 100, 51, 0, 0, 1),
    }),
  );
  const { volume, notes } = segToLabelVolume(decoded);
  expect([...volume.voxels]).toEqual([1, 0, 0, 0, 0, 0, 1, 1]);
  expect(notes).toHaveLength(1);
  expect([...decoded.framePixels(0)]).toEqual([0, 49, 50, 100]);
});

describe("decodeSeg refuses", () => {
  test.each<[string, () => Uint8Array, string]>([
    ["what is not DICOM", () => new Uint8Array(500), "not-dicom"],
    [
      "an image that is not a segmentation",
      () => foreign({ SOPClassUID: "1.2.840.10008.5.1.4.1.1.2" }),
      "not-a-segmentation",
    ],
    ["a file that is cut short", () => seg().slice(0, -2), "truncated"],
    ["pixel data that is too short", () => foreign({ PixelData: Uint8Array.of(1, 2, 3, 4, 5, 6) }), "truncated"],
    ["an object without pixels", () => foreign({ PixelData: undefined }), "invalid-header"],
    ["frames that are not described", () => foreign({ NumberOfFrames: 3 }), "invalid-header"],
    ["no rows", () => foreign({ Rows: 0 }), "invalid-header"],
    ["a segmentation type that there is not", () => foreign({ SegmentationType: "PROSE" }), "unsupported-datatype"],
    ["bits that its type cannot have", () => foreign({ BitsAllocated: 1 }), "unsupported-datatype"],
    [
      "frames without a position",
      () => foreign({ PerFrameFunctionalGroupsSequence: [{}, {}] }),
      "unsupported-dimensions",
    ],
    ["frames without orientation", () => foreign({ SharedFunctionalGroupsSequence: [{}] }), "unsupported-dimensions"],
  ])("%s", (_what, make, reason) => {
    expect(() => decodeSeg(make())).toThrow(expect.objectContaining({ code: "unsupported-image", reason }));
  });
});

describe("maskOnto refuses", () => {
  const grids = {
    "another frame of reference": { ...geometry, frameOfReferenceUid: "2.25.77" },
    "a grid half a voxel away": { ...geometry, ijkToLps: geometry.ijkToLps.with(3, geometry.ijkToLps[3] + 0.4) },
    "a grid of other voxels": { ...geometry, ijkToLps: geometry.ijkToLps.with(0, 0.7) },
    "a grid that does not reach as far": { ...geometry, size: [5, 7, 3] as const },
  };

  test.each(Object.entries(grids))("%s", (_what, grid) => {
    expect(() => maskOnto(decodeSeg(seg()), 1, grid as typeof geometry)).toThrow(
      expect.objectContaining({ code: "unsupported-image", reason: "unsupported-dimensions" }),
    );
  });

  test.each([
    ["a grid of which the frames have every second voxel", [0.5, 0, 0], [0, 0.5, 0], [9, 13, 4]],
    ["a grid whose diagonal the frames' rows are", [0.5, 0.5, 0], [-0.5, 0.5, 0], [11, 11, 4]],
  ] as const)("%s: they would leave holes", (_what, i, j, wider) => {
    const origin = [0, 0, 0] as const;
    const own = { ...geometry, ijkToLps: fromColumns([1, 0, 0], [0, 1, 0], [0, 0, 3], origin) };
    // The diagonal's rows run back along j.
    const at = j[0] < 0 ? ([2, -2, 0] as const) : origin;
    const finer: VolumeGeometry = { ...geometry, size: wider, ijkToLps: fromColumns(i, j, [0, 0, 3], at) };
    const decoded = decodeSeg(encodeSeg(segInput(own, [skull])));
    for (const read of [() => maskOnto(decoded, 1, finer), () => segToLabelVolume(decoded, finer)]) {
      expect(read).toThrow(expect.objectContaining({ message: expect.stringContaining("sampled differently") }));
    }
  });

  test("a segment that is not there", () => {
    expect(() => maskOnto(decodeSeg(seg()), 2, geometry)).toThrow(RangeError);
  });
});

describe("segToLabelVolume refuses", () => {
  const frame = (z: number, x = 0): Elements => ({ PlanePositionSequence: [{ ImagePositionPatient: [x, 0, z] }] });
  const three = (frames: readonly Elements[]) =>
    foreign({ NumberOfFrames: 3, PerFrameFunctionalGroupsSequence: frames, PixelData: new Uint8Array(12).fill(1) });

  test("frames that are not equally spaced", () => {
    const decoded = decodeSeg(three([frame(0), frame(3), frame(7)]));
    expect(decoded.geometry).toBeUndefined();
    expect(() => segToLabelVolume(decoded)).toThrow(expect.objectContaining({ reason: "unsupported-dimensions" }));
  });

  test("frames that shift against each other", () => {
    expect(decodeSeg(three([frame(0), frame(3, 0.5), frame(6, 1)])).geometry).toBeUndefined();
  });

  test("a few frames so far apart that the grid between them would fill the memory", () => {
    const decoded = decodeSeg(three([frame(0), frame(0.05), frame(50_000_000)]));
    expect(() => segToLabelVolume(decoded)).toThrow(expect.objectContaining({ reason: "too-large" }));
  });
});
