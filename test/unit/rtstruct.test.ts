import { describe, expect, test } from "vitest";
import {
  contoursOnto,
  type DecodedRoi,
  decodeStructureSet,
  encodeSeg,
  encodeStructureSet,
  items,
  readPart10,
} from "#converters/dicom/index.ts";
import { fromColumns, type Vec3, type VolumeGeometry } from "#converters/geometry/index.ts";
import { createBitVolume, fillPolygons, readSlice } from "#converters/mask/index.ts";
import { dciodvfy, dcmdump, describeWithDciodvfy, describeWithDcmtk } from "../fixtures/dicom-tools.ts";
import { ellipsoid, GEOMETRY_KINDS, geometryOf, segInput, segmentOf } from "../fixtures/seg-cases.ts";
import { structureSetInput } from "../fixtures/structure-set-cases.ts";

const size: Vec3 = [16, 12, 5];
const masks = [ellipsoid(size, [0.5, 0.5, 0.5], 0.4), ellipsoid(size, [0.3, 0.5, 0.5], 0.25)];
const oblique = structureSetInput(geometryOf("oblique", size), masks);

describeWithDciodvfy("dciodvfy finds no error in a structure set", () => {
  test.each(GEOMETRY_KINDS)("on a grid that lies %s", (kind) => {
    expect(dciodvfy(encodeStructureSet(structureSetInput(geometryOf(kind, size), masks))).errors).toEqual([]);
  });

  test("with an ROI that is empty, without sources, and of frames of an enhanced image", () => {
    const empty = structureSetInput(oblique.geometry, [...masks, createBitVolume(size)]);
    const frames = oblique.sources.map((source) => ({
      ...source,
      sopClassUid: "1.2.840.10008.5.1.4.1.1.2.1",
      sopInstanceUid: "2.25.6",
      frame: source.sliceIndex + 1,
    }));
    for (const input of [empty, { ...oblique, sources: [] }, { ...oblique, sources: frames }]) {
      expect(dciodvfy(encodeStructureSet(input)).errors).toEqual([]);
    }
  });
});

describeWithDcmtk("dcmtk", () => {
  test("parses a structure set to its end", () => {
    expect(dcmdump(encodeStructureSet(oblique)).status).toBe(0);
  });
});

describe("a structure set", () => {
  test("is the same bytes each time", () => {
    expect(Buffer.compare(encodeStructureSet(oblique), encodeStructureSet(oblique))).toBe(0);
  });

  test("names patient, study, series, frame of reference and each contour's source", () => {
    const part10 = encodeStructureSet(oblique);
    const { dataSet, transferSyntaxUid } = readPart10(part10);
    expect(transferSyntaxUid).toBe("1.2.840.10008.1.2");
    expect(dataSet).toMatchObject({ PatientName: ["Müller^Jörg"], Modality: ["RTSTRUCT"], SeriesNumber: [3004] });
    expect(dataSet.StructureSetDescription?.[0]).toMatch(/^Research use only/);
    const decoded = decodeStructureSet(part10);
    expect(decoded).toMatchObject({
      sopInstanceUid: "2.25.4002",
      frameOfReferenceUid: "2.25.1001",
      referencedSeriesInstanceUid: "2.25.1003",
      rois: [{ number: 1, name: "liver tumor number 1", description: "Prompt: liver tumor 1" }, { number: 2 }],
    });
    const sources = new Set(decoded.rois[0]!.contours.map(({ sourceSopInstanceUid }) => sourceSopInstanceUid));
    expect([...sources]).toEqual(oblique.sources.slice(1, 4).map(({ sopInstanceUid }) => sopInstanceUid));
    for (const item of items(dataSet, "ROIContourSequence")) expect(item.ROIDisplayColor).toHaveLength(3);
  });

  test("may have contours that no explicit decimal string could hold", () => {
    const wide: Vec3 = [512, 512, 1];
    const comb = createBitVolume(wide);
    for (let j = 0; j < 512; j++)
      for (let i = 0; i < 512; i++) if (j === 0 || i % 2 === 0) comb.bits[(j * 512 + i) >>> 3]! |= 1 << (i & 7);
    const geometry = geometryOf("oblique", wide);
    const [roi] = decodeStructureSet(encodeStructureSet(structureSetInput(geometry, [comb]))).rois;
    expect(roi?.contours).toHaveLength(1);
    expect(roi?.contours[0]?.points.length).toBeGreaterThan(1000);
    expect(Buffer.compare(contoursOnto(roi!, geometry).bits, comb.bits)).toBe(0);
  });
});

describe("contours of others", () => {
  const grid: VolumeGeometry = {
    size: [8, 8, 2],
    ijkToLps: fromColumns([1, 0, 0], [0, 1, 0], [0, 0, 3], [0, 0, 0]),
    frameOfReferenceUid: "2.25.1",
  };
  const square = (from: number, to: number, z = 0): DecodedRoi["contours"][number] => ({
    geometricType: "CLOSED_PLANAR",
    points: [
      [from, from, z],
      [to, from, z],
      [to, to, z],
      [from, to, z],
    ],
  });
  const roi = (...contours: DecodedRoi["contours"]): DecodedRoi => ({
    number: 1,
    name: "a",
    frameOfReferenceUid: "",
    contours,
  });
  const rows = (given: DecodedRoi) => {
    const slice = readSlice(contoursOnto(given, grid), 0);
    return Array.from({ length: 8 }, (_, j) => slice.subarray(8 * j, 8 * j + 8).join(""));
  };

  test("take the voxels whose centres they enclose", () => {
    expect(rows(roi(square(1.6, 4.4)))).toEqual([
      ...["00000000", "00000000", "00111000", "00111000", "00111000", "00000000", "00000000", "00000000"],
    ]);
  });

  test("that lie in each other cut holes", () => {
    expect(rows(roi(square(0.5, 6.5), square(2.5, 4.5)))[3]).toBe("01100110");
  });

  test("that share a line share no voxel and leave none out", () => {
    const mask = createBitVolume([8, 8, 1]);
    const box = (from: number, to: number) =>
      [
        [from, 0],
        [to, 0],
        [to, 8],
        [from, 8],
      ] as const;
    for (const polygon of [box(0, 3), box(3, 8)]) fillPolygons(mask, 0, [polygon]);
    expect(readSlice(mask, 0)).toEqual(new Uint8Array(64).fill(1));
    const both = createBitVolume([8, 8, 1]);
    fillPolygons(both, 0, [box(0, 3), box(3, 8)]);
    expect(both.bits).toEqual(mask.bits);
  });

  test("that reach beyond the grid are cut off there", () => {
    expect(rows(roi(square(-20, 20)))).toEqual(Array(8).fill("11111111"));
  });

  test("that are points or lines take nothing", () => {
    expect(rows(roi({ ...square(0, 6), geometricType: "OPEN_PLANAR" }))).toEqual(Array(8).fill("00000000"));
  });

  test.each([
    ["between slices", square(0, 5, 1.5)],
    ["above the last slice", square(0, 5, 6)],
    [
      "across slices",
      {
        ...square(0, 5),
        points: [
          [0, 0, 0],
          [5, 0, 0],
          [5, 5, 3],
        ] as const,
      },
    ],
  ])("that lie %s are refused", (_where, contour) => {
    expect(() => contoursOnto(roi(contour), grid)).toThrow(
      expect.objectContaining({ code: "unsupported-image", reason: "unsupported-dimensions" }),
    );
  });

  test("of another frame of reference are refused", () => {
    expect(() => contoursOnto({ ...roi(square(0, 5)), frameOfReferenceUid: "2.25.2" }, grid)).toThrow(/another frame/);
  });
});

describe("refused is", () => {
  test("to write a structure set without a voxel, or of a mask on another grid", () => {
    expect(() => encodeStructureSet({ ...oblique, rois: [] })).toThrow(/nothing to write/);
    const other = [{ ...oblique.rois[0]!, mask: createBitVolume([1, 2, 3]) }];
    expect(() => encodeStructureSet({ ...oblique, rois: other })).toThrow(/size/);
  });

  test("to read another object as a structure set", () => {
    const seg = encodeSeg(segInput(geometryOf("axial", size), [segmentOf("skull", masks[0]!)]));
    expect(() => decodeStructureSet(seg)).toThrow(expect.objectContaining({ reason: "not-a-segmentation" }));
  });
});
