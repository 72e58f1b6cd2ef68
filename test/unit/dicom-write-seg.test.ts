import { describe, expect, test } from "vitest";
import { type DataSet, decodeSeg, encodeSeg, items, readPart10, type SegInput } from "#converters/dicom/index.ts";
import { fromColumns, type Vec3 } from "#converters/geometry/index.ts";
import { createBitVolume } from "#converters/mask/index.ts";
import { dciodvfy, dcmdump, describeWithDciodvfy, describeWithDcmtk } from "../fixtures/dicom-tools.ts";
import { ellipsoid, GEOMETRY_KINDS, geometryOf, headerOf, segInput, segmentOf } from "../fixtures/seg-cases.ts";

const SIZES: readonly Vec3[] = [
  [16, 12, 5],
  [5, 7, 4],
];

const ENHANCED_CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2.1";

function threeSegments(size: Vec3) {
  return [
    segmentOf("skull", ellipsoid(size, [0.5, 0.5, 0.5], 0.4), 1),
    segmentOf("left kidney", ellipsoid(size, [0.3, 0.5, 0.5], 0.25), 2),
    segmentOf("liver tumor", ellipsoid(size, [0.7, 0.6, 0.4], 0.3), 3),
  ];
}

function oneSegment(overrides: Partial<SegInput> = {}): SegInput {
  const size: Vec3 = [5, 7, 4];
  return { ...segInput(geometryOf("axial", size), [threeSegments(size)[0]!]), ...overrides };
}

function dataSetOf(input: SegInput): DataSet {
  return readPart10(encodeSeg(input)).dataSet;
}

describeWithDciodvfy("dciodvfy finds no error in a SEG", () => {
  describe.each(GEOMETRY_KINDS)("on a grid that lies %s", (kind) => {
    test.each(SIZES)("of %i x %i x %i voxels, with one segment and with three that overlap", (...size) => {
      const geometry = geometryOf(kind, size);
      for (const segments of [threeSegments(size).slice(0, 1), threeSegments(size)]) {
        expect(dciodvfy(encodeSeg(segInput(geometry, segments))).errors).toEqual([]);
      }
    });
  });

  test("from a source whose header is bare or malformed", () => {
    const bare = headerOf();
    const header = {
      ...bare,
      patient: { PatientID: "P", PatientSex: "male", PatientBirthDate: "1.2.1960" } as never,
      study: { StudyInstanceUID: "2.25.1002", StudyTime: "10:11:12" } as never,
      patientStudy: { PatientAge: "64" } as never,
      series: { SeriesInstanceUID: "2.25.1003", BodyPartExamined: "Abdomen and pelvis", Laterality: "L" } as never,
    };
    const seg = encodeSeg(oneSegment({ header }));
    expect(dciodvfy(seg).errors).toEqual([]);
    expect(readPart10(seg).dataSet.PatientSex).toEqual([]);
  });

  test("without sources, with enhanced sources, with a creator and a prompt of 10,000 characters", () => {
    const input = oneSegment({ contentCreator: "Doe^Jane" });
    const enhanced = input.sources.map((source) => ({
      ...source,
      sopClassUid: ENHANCED_CT_IMAGE_STORAGE,
      sopInstanceUid: "2.25.6",
      frame: source.sliceIndex + 1,
    }));
    const long = "a\\b\nc ".repeat(2000);
    const [segment] = input.segments;
    for (const changed of [
      { ...input, sources: [] },
      { ...input, sources: enhanced },
      { ...input, segments: [{ ...segment!, label: long, description: long }], seriesDescription: long },
    ]) {
      expect(dciodvfy(encodeSeg(changed)).errors).toEqual([]);
    }
  });
});

describeWithDcmtk("dcmtk", () => {
  test("parses a SEG to its end", () => {
    const { status, lines } = dcmdump(encodeSeg(segInput(geometryOf("oblique", [5, 7, 4]), threeSegments([5, 7, 4]))));
    expect(status).toBe(0);
    expect(lines.filter((line) => /^[EW]:/.test(line))).toEqual([]);
  });
});

describe("a SEG", () => {
  test("is the same bytes each time", () => {
    expect(Buffer.compare(encodeSeg(oneSegment()), encodeSeg(oneSegment()))).toBe(0);
  });

  test("belongs to the patient, study and frame of reference of its source, and to a series of its own", () => {
    const dataSet = dataSetOf(oneSegment());
    expect(dataSet.PatientName).toEqual(["Müller^Jörg"]);
    expect(dataSet.PatientID).toEqual(["P-1"]);
    expect(dataSet.StudyInstanceUID).toEqual(["2.25.1002"]);
    expect(dataSet.StudyDescription).toEqual(["Schädel"]);
    expect(dataSet.FrameOfReferenceUID).toEqual(["2.25.1001"]);
    expect(dataSet.SeriesInstanceUID).toEqual(["2.25.2001"]);
    expect(dataSet.Modality).toEqual(["SEG"]);
    expect(dataSet.SpecificCharacterSet).toEqual(["ISO_IR 192"]);
  });

  test("says that it is for research, and what made it", () => {
    const dataSet = dataSetOf(oneSegment());
    expect(dataSet.ContentDescription?.[0]).toContain("Research use only");
    expect(dataSet.Manufacturer).toEqual(["Parse3D"]);
    const [segment] = items(dataSet, "SegmentSequence");
    expect(segment?.SegmentAlgorithmType).toEqual(["AUTOMATIC"]);
    expect(segment?.SegmentAlgorithmName).toEqual(["density-ct"]);
  });

  test.each([
    ["artificial-intelligence", "123110"],
    ["density-rules", "123105"],
  ] as const)("names the family of %s by code %s", (family, code) => {
    const input = oneSegment({ algorithm: { name: "m", version: "1", family } });
    const [segment] = items(dataSetOf(input), "SegmentSequence");
    const [identification] = items(segment!, "SegmentationAlgorithmIdentificationSequence");
    const [familyCode] = items(identification!, "AlgorithmFamilyCodeSequence");
    expect(familyCode?.CodeValue).toEqual([code]);
    expect(familyCode?.CodingSchemeDesignator).toEqual(["DCM"]);
  });

  test.each([
    [4, 1004],
    [undefined, 1000],
    [2147483647, 1000],
    [2.5, 1000],
  ])("of series number %s is series number %i", (SeriesNumber, number) => {
    const input = oneSegment();
    const series = { ...input.header.series, SeriesNumber };
    expect(dataSetOf({ ...input, header: { ...input.header, series } }).SeriesNumber).toEqual([number]);
  });

  test("has no frame for a slice without voxels", () => {
    const size: Vec3 = [4, 4, 3];
    const mask = createBitVolume(size);
    mask.bits[4] = 1; // voxel 32: the first of slice 2
    const seg = decodeSeg(encodeSeg(segInput(geometryOf("axial", size), [segmentOf("bone", mask)])));
    expect(seg.frames).toHaveLength(1);
    expect(seg.frames[0]?.sourceSopInstanceUid).toBe("2.25.50003");
    expect(seg.frames[0]?.dimensionIndexValues).toEqual([1, 1]);
  });

  test("orders frames by segment, then by slice, and counts positions over all segments", () => {
    const size: Vec3 = [4, 4, 3];
    const [a, b] = [createBitVolume(size), createBitVolume(size)];
    a.bits[2] = 1;
    a.bits[4] = 1;
    b.bits[0] = 2;
    b.bits[4] = 2;
    const input = segInput(geometryOf("axial", size), [segmentOf("bone", a, 1), segmentOf("fat", b, 2)]);
    const { frames } = decodeSeg(encodeSeg(input));
    expect(frames.map(({ dimensionIndexValues }) => dimensionIndexValues)).toEqual([
      [1, 2],
      [1, 3],
      [2, 1],
      [2, 3],
    ]);
    expect(dataSetOf(input).SegmentsOverlap).toEqual(["NO"]);
  });

  test("takes each frame's position from its source, not from the grid", () => {
    const input = oneSegment();
    const moved = input.sources.map((source) => ({
      ...source,
      positionLps: [source.positionLps[0], source.positionLps[1], source.positionLps[2] + 0.3] as const,
    }));
    const { frames } = decodeSeg(encodeSeg({ ...input, sources: moved }));
    for (const frame of frames) {
      const source = moved.find(({ sopInstanceUid }) => sopInstanceUid === frame.sourceSopInstanceUid);
      expect(frame.positionLps).toEqual(source?.positionLps);
    }
  });

  test("refers to every source instance once, and to the frames of an enhanced one", () => {
    const input = oneSegment();
    const enhanced = input.sources.map((source) => ({
      ...source,
      sopInstanceUid: "2.25.6",
      frame: source.sliceIndex + 11,
    }));
    const seg = decodeSeg(encodeSeg({ ...input, sources: enhanced }));
    expect(seg.referencedSopInstanceUids).toEqual(["2.25.6"]);
    expect(seg.referencedSeriesInstanceUid).toBe("2.25.1003");
    expect(seg.frames.map(({ sourceFrame }) => sourceFrame)).toEqual([11, 12, 13, 14]);
  });

  test("states a spacing, and 3D, only where slices are equally spaced", () => {
    const input = oneSegment();
    const measures = (dataSet: DataSet) =>
      items(items(dataSet, "SharedFunctionalGroupsSequence")[0]!, "PixelMeasuresSequence")[0]!;
    const regular = dataSetOf(input);
    expect(measures(regular).SpacingBetweenSlices).toEqual([2.5]);
    expect(measures(regular).PixelSpacing).toEqual([0.8, 0.75]);
    expect(regular.DimensionOrganizationType).toEqual(["3D"]);
    const uneven = input.sources.map((source, n) => ({
      ...source,
      positionLps: [source.positionLps[0], source.positionLps[1], source.positionLps[2] + (n === 2 ? 0.4 : 0)] as const,
    }));
    const irregular = dataSetOf({ ...input, sources: uneven });
    expect(measures(irregular)).not.toHaveProperty("SpacingBetweenSlices");
    expect(irregular).not.toHaveProperty("DimensionOrganizationType");
  });

  test("gives segments of other names other colours, and of the same name always the same", () => {
    const colours = (labels: readonly string[]) => {
      const size: Vec3 = [5, 7, 4];
      const mask = ellipsoid(size, [0.5, 0.5, 0.5], 0.4);
      const segments = labels.map((label, n) => segmentOf(label, mask, n));
      return decodeSeg(encodeSeg(segInput(geometryOf("axial", size), segments))).segments.map(
        ({ colourLab }) => colourLab,
      );
    };
    const many = colours(Array.from({ length: 60 }, (_, n) => `thing ${n}`));
    expect(new Set(many.map(String)).size).toBe(60);
    expect(colours(["liver"])).toEqual(colours(["liver"]));
    expect(colours(["Liver "])).toEqual(colours(["liver"]));
  });

  test("carries side, region and tracking of each segment", () => {
    const size: Vec3 = [5, 7, 4];
    const { segments } = decodeSeg(encodeSeg(segInput(geometryOf("axial", size), threeSegments(size))));
    expect(segments.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(segments[1]?.codes?.typeModifier?.meaning).toBe("Left");
    expect(segments[2]?.codes?.anatomicRegion?.value).toBe("10200004");
    expect(segments[2]?.tracking).toEqual({ id: "finding 3", uid: "2.25.9003" });
    expect(segments[2]?.description).toBe("Prompt: liver tumor");
  });
});

describe("encodeSeg refuses", () => {
  test("masks without a voxel", () => {
    const input = oneSegment();
    const empty = { ...input.segments[0]!, mask: createBitVolume(input.geometry.size) };
    expect(() => encodeSeg({ ...input, segments: [empty] })).toThrow(/nothing to write/);
    expect(() => encodeSeg({ ...input, segments: [] })).toThrow(RangeError);
  });

  test("a mask of another size", () => {
    const input = oneSegment();
    const other = { ...input.segments[0]!, mask: ellipsoid([5, 7, 5], [0.5, 0.5, 0.5], 1) };
    expect(() => encodeSeg({ ...input, segments: [other] })).toThrow(/size/);
  });

  test("rows and columns that are not at a right angle", () => {
    const input = oneSegment();
    const ijkToLps = fromColumns([1, 0, 0], [0.2, 1, 0], [0, 0, 2.5], [0, 0, 0]);
    expect(() => encodeSeg({ ...input, sources: [], geometry: { ...input.geometry, ijkToLps } })).toThrow(
      /right angle/,
    );
  });

  test("sources that lie on other slices than they say", () => {
    const input = oneSegment();
    const reversed = input.sources.map((source, k) => ({ ...source, sliceIndex: input.sources.length - 1 - k }));
    expect(() => encodeSeg({ ...input, sources: reversed })).toThrow(/lies elsewhere/);
  });
});
