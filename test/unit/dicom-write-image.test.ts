import { describe, expect, test } from "vitest";
import {
  decodeSeries,
  encodeImageSeries,
  firstNumber,
  type ImageSeriesDescription,
  numbers,
  readPart10,
} from "#converters/dicom/index.ts";
import {
  fromColumns,
  invert,
  transformPoint,
  type Vec3,
  type Volume,
  type VolumeGeometry,
  type Voxels,
} from "#converters/geometry/index.ts";
import { dciodvfy, dcmdump, describeWithDciodvfy, describeWithDcmtk } from "../fixtures/dicom-tools.ts";
import { FRAME_OF_REFERENCE, GEOMETRY_KINDS, geometryOf } from "../fixtures/seg-cases.ts";

const size: Vec3 = [5, 7, 4];
const count = size[0] * size[1] * size[2];
const integers = Int16Array.from({ length: count }, (_, n) => ((n * 37) % 4000) - 1100);
const fractions = Float32Array.from({ length: count }, (_, n) => Math.sin(n) * 13.7 + 2);

function description(modality: "CT" | "MR"): ImageSeriesDescription {
  return {
    patient: { id: "DEMO", name: "Müller^Jörg", sex: "F", birthDate: "19700101" },
    modality,
    studyDescription: "Kopf",
    seriesDescription: "Imported",
    studyId: "1",
    uids: {
      study: "2.25.11",
      series: "2.25.12",
      frameOfReference: FRAME_OF_REFERENCE,
      instance: (k) => `2.25.13${k}`,
    },
    at: new Date("2026-01-02T03:04:05Z"),
  };
}

function volumeOf<T extends Voxels>(voxels: T, geometry: VolumeGeometry = geometryOf("axial", size)): Volume<T> {
  return { geometry, voxels, unit: "HU", modality: "CT", sources: [] };
}

function encode(volume: Volume, modality: "CT" | "MR" = "CT"): readonly Uint8Array[] {
  return [...encodeImageSeries(volume, description(modality))];
}

/** The values that the series gives at the places of the volume's voxels, in the volume's order. */
async function valuesAtVoxels(files: readonly Uint8Array[], { size: [ni, nj, nk], ijkToLps }: VolumeGeometry) {
  const { volume } = await decodeSeries(files);
  const lpsToIjk = invert(volume.geometry.ijkToLps);
  const values: number[] = [];
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni; i++) {
        const there = transformPoint(lpsToIjk, transformPoint(ijkToLps, [i, j, k]));
        for (const index of there) expect(Math.abs(index - Math.round(index))).toBeLessThan(1e-3);
        const [a, b, c] = there.map(Math.round) as [number, number, number];
        values.push(volume.voxels[(c * volume.geometry.size[1] + b) * volume.geometry.size[0] + a]!);
      }
  return values;
}

describeWithDciodvfy("dciodvfy finds no error in an image series", () => {
  describe.each(["CT", "MR"] as const)("of modality %s", (modality) => {
    test.each(GEOMETRY_KINDS)("on a grid that lies %s, of integers and of fractions", (kind) => {
      for (const voxels of [integers, fractions]) {
        for (const file of encode(volumeOf(voxels, geometryOf(kind, size)), modality)) {
          expect(dciodvfy(file).errors).toEqual([]);
        }
      }
    });
  });

  test("of a patient of whom nothing but an identifier is known", () => {
    const [file] = encodeImageSeries(volumeOf(integers), { ...description("MR"), patient: { id: "X" } });
    expect(dciodvfy(file!).errors).toEqual([]);
  });
});

describeWithDcmtk("dcmtk", () => {
  test("parses an image to its end", () => {
    const { status, lines } = dcmdump(encode(volumeOf(integers))[0]!);
    expect(status).toBe(0);
    expect(lines.filter((line) => /^[EW]:/.test(line))).toEqual([]);
  });
});

describe("an image series", () => {
  test.each(GEOMETRY_KINDS)(
    "of a grid that lies %s has every voxel's value at its place in the patient",
    async (kind) => {
      const geometry = geometryOf(kind, size);
      expect(await valuesAtVoxels(encode(volumeOf(integers, geometry)), geometry)).toEqual([...integers]);
    },
  );

  test.each(["axial", "ras", "leftHanded"] as const)(
    "of a grid that lies %s is shown as radiologists read it",
    (kind) => {
      const { dataSet } = readPart10(encode(volumeOf(integers, geometryOf(kind, size)))[0]!);
      expect(numbers(dataSet, "ImageOrientationPatient").map((cosine) => cosine + 0)).toEqual([1, 0, 0, 0, 1, 0]);
    },
  );

  test.each(GEOMETRY_KINDS)("of a grid that lies %s numbers its instances along the normal", (kind) => {
    const heights = encode(volumeOf(integers, geometryOf(kind, size))).map((file, n) => {
      const { dataSet } = readPart10(file);
      expect(firstNumber(dataSet, "InstanceNumber")).toBe(n + 1);
      return firstNumber(dataSet, "SliceLocation")!;
    });
    for (let n = 1; n < heights.length; n++) expect(heights[n]! - heights[n - 1]!).toBeCloseTo(2.5, 6);
  });

  test("gives each slice the instance UID of its own index", () => {
    const uids = encode(volumeOf(integers, geometryOf("leftHanded", size))).map(
      (file) => readPart10(file).dataSet.SOPInstanceUID?.[0],
    );
    expect(uids).toEqual(["2.25.133", "2.25.132", "2.25.131", "2.25.130"]);
  });

  test("is the same bytes each time", () => {
    const [a, b] = [encode(volumeOf(fractions)), encode(volumeOf(fractions))];
    for (const [n, file] of a.entries()) expect(Buffer.compare(file, b[n]!)).toBe(0);
  });

  test("holds patient and study as given", () => {
    const { dataSet } = readPart10(encode(volumeOf(integers))[0]!);
    expect(dataSet.PatientID).toEqual(["DEMO"]);
    expect(dataSet.PatientName).toEqual(["Müller^Jörg"]);
    expect(dataSet.PatientBirthDate).toEqual(["19700101"]);
    expect(dataSet.StudyInstanceUID).toEqual(["2.25.11"]);
    expect(dataSet.FrameOfReferenceUID).toEqual([FRAME_OF_REFERENCE]);
  });
});

describe("stored values", () => {
  const fill = <T extends Voxels>(voxels: T, values: readonly number[]): T => {
    for (let n = 0; n < voxels.length; n++) voxels[n] = values[n % values.length]!;
    return voxels;
  };

  test.each<[string, Voxels]>([
    ["int16 over its whole range", fill(new Int16Array(count), [-32768, 0, 32767])],
    ["uint16 over its whole range", fill(new Uint16Array(count), [0, 1, 65535])],
    ["uint8", fill(new Uint8Array(count), [0, 7, 255])],
    ["int32 far from zero", fill(new Int32Array(count), [1_000_000, 1_065_535])],
    ["floats that are integers", fill(new Float32Array(count), [-1024, 3, 3071])],
    ["one single value", fill(new Float64Array(count), [0])],
  ])("%s come back exactly", async (_what, voxels) => {
    const volume = volumeOf(voxels);
    for (const modality of ["CT", "MR"] as const) {
      expect(await valuesAtVoxels(encode(volume, modality), volume.geometry)).toEqual([...voxels]);
    }
  });

  test.each<[string, Voxels]>([
    ["fractions", fractions],
    ["a range beyond 16 bits", fill(new Int32Array(count), [-2_000_000, 17, 123_457, 2_000_000])],
    ["very small numbers", fill(new Float64Array(count), [1e-12, 2.5e-12, 7e-12])],
    ["a small range far from zero", fill(new Float64Array(count), [1e6, 1e6 + 0.123, 1e6 + 0.9])],
    ["one single fraction", fill(new Float32Array(count), [0.1])],
  ])("%s come back within half a step", async (_what, voxels) => {
    const volume = volumeOf(voxels);
    const files = encode(volume, "MR");
    const slope = firstNumber(readPart10(files[0]!).dataSet, "RescaleSlope")!;
    const intercept = firstNumber(readPart10(files[0]!).dataSet, "RescaleIntercept")!;
    const { pixelData } = readPart10(files[0]!);
    const bytes = (pixelData as { value: Uint8Array }).value;
    const stored = new Int16Array(bytes.slice().buffer);
    for (let n = 0; n < stored.length; n++) {
      const value = slope * stored[n]! + intercept;
      expect(Math.abs(value - voxels[n]!)).toBeLessThanOrEqual(slope * 0.500001);
    }
  });

  test("NaN and infinities become the lowest value", async () => {
    const voxels = fill(new Float32Array(count), [Number.NaN, 5, -3, Infinity]);
    const volume = volumeOf(voxels);
    expect((await valuesAtVoxels(encode(volume), volume.geometry)).slice(0, 4)).toEqual([-3, 5, -3, -3]);
  });

  test("CT has HU and the usual intercept; MR of integers has none", () => {
    const ct = readPart10(encode(volumeOf(integers), "CT")[0]!).dataSet;
    expect(ct.RescaleIntercept).toEqual([-1024]);
    expect(ct.RescaleType).toEqual(["HU"]);
    expect(readPart10(encode(volumeOf(integers), "MR")[0]!).dataSet).not.toHaveProperty("RescaleSlope");
  });

  test("an MR's window spans its values but for the extremes", () => {
    const voxels = Int16Array.from({ length: count }, (_, n) => (n < 40 ? 0 : n));
    const { dataSet } = readPart10(encode(volumeOf(voxels), "MR")[0]!);
    const [center, width] = [firstNumber(dataSet, "WindowCenter")!, firstNumber(dataSet, "WindowWidth")!];
    expect(center - width / 2).toBeCloseTo(40, 0);
    expect(center + width / 2).toBeCloseTo(139, 0);
  });
});

describe("encodeImageSeries refuses", () => {
  test.each<[string, Vec3, Vec3, Vec3]>([
    ["rows and columns that are not at a right angle", [1, 0, 0], [0.1, 1, 0], [0, 0, 1]],
    ["slices that shift against each other", [1, 0, 0], [0, 1, 0], [0, 0.1, 1]],
    ["an axis without length", [1, 0, 0], [0, 0, 0], [0, 0, 1]],
    ["axes in one plane", [1, 0, 0], [0, 1, 0], [1, 0, 0]],
  ])("%s", (_what, i, j, k) => {
    const geometry = { size, ijkToLps: fromColumns(i, j, k, [0, 0, 0]), frameOfReferenceUid: "" };
    expect(() => encode(volumeOf(integers, geometry))).toThrow(
      expect.objectContaining({ code: "unsupported-image", reason: "unsupported-dimensions" }),
    );
  });

  test("more columns than DICOM can count", () => {
    const wide: VolumeGeometry = { ...geometryOf("axial", size), size: [65536, 1, 1] };
    expect(() => encode(volumeOf(new Int16Array(65536), wide))).toThrow(/65535/);
  });
});
