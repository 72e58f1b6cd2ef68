import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeSeg } from "#converters/dicom/index.ts";
import { transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import { describeWithPython, runPython } from "../fixtures/python-checks.ts";
import { ellipsoid, GEOMETRY_KINDS, geometryOf, segInput, segmentOf, type WholeInput } from "../fixtures/seg-cases.ts";

/** What test/fixtures/read_seg.py prints. */
interface SegByHighdicom {
  readonly masksShape: readonly [instances: number, rows: number, columns: number, segments: number];
  readonly masks: string;
  readonly frames: readonly {
    readonly segment: number;
    readonly position: Vec3;
    readonly source: string;
    readonly purpose: readonly string[];
    readonly derivation: readonly string[];
    readonly index: readonly number[];
  }[];
  readonly volumeShape: readonly [slices: number, rows: number, columns: number, segments: number];
  readonly volumeAffine: readonly (readonly number[])[];
  readonly volume: string;
  readonly segmentNumbers: readonly number[];
  readonly labels: readonly string[];
  readonly types: readonly (readonly string[])[];
  readonly trackingUids: readonly string[];
  readonly overlap: string;
  readonly patientName: string;
  readonly organization: string | null;
}

const SIZES: readonly Vec3[] = [
  [16, 12, 6],
  [5, 7, 9],
];

const CASES = GEOMETRY_KINDS.flatMap((kind) =>
  SIZES.map((size) => {
    const input = segInput(geometryOf(kind, size), [
      segmentOf("skull", ellipsoid(size, [0.5, 0.5, 0.55], 0.4), 1),
      segmentOf("left kidney", ellipsoid(size, [0.3, 0.4, 0.5], 0.3), 2),
      segmentOf("liver tumor", ellipsoid(size, [0.7, 0.6, 0.6], 0.25), 3),
    ]);
    return { name: `${kind}, ${size.join(" x ")} voxels`, input };
  }),
);

const wholeSize: Vec3 = [16, 12, 6];
const everywhere = segInput(geometryOf("oblique", wholeSize), [
  segmentOf("body", ellipsoid(wholeSize, [0.5, 0.5, 0.5], 2)),
]);

function readByHighdicom(inputs: readonly WholeInput[]): readonly SegByHighdicom[] {
  const folder = mkdtempSync(join(tmpdir(), "parse3d-"));
  try {
    const cases = inputs.map((input, n) => {
      const file = join(folder, `${n}.dcm`);
      writeFileSync(file, encodeSeg(input));
      return { file, sources: input.sources.map(({ sopInstanceUid }) => sopInstanceUid) };
    });
    const manifest = join(folder, "cases.json");
    writeFileSync(manifest, JSON.stringify(cases));
    return runPython("read_seg.py", [manifest]) as readonly SegByHighdicom[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describeWithPython("highdicom reads our SEG", () => {
  let answers: readonly SegByHighdicom[] = [];
  beforeAll(() => {
    answers = readByHighdicom([...CASES.map(({ input }) => input), everywhere]);
  });

  describe.each(CASES.map((given, n) => ({ ...given, n })))("$name", ({ input, n }) => {
    test("the same masks, by source instance and by place in the patient", () => {
      const read = answers[n]!;
      const { size } = input.geometry;
      expect(read.masksShape).toEqual([size[2], size[1], size[0], 3]);
      expect(masksOf(read)).toEqual(writtenMasks(input));
      expect(voxelsInSpace(read)).toEqual(writtenVoxelsInSpace(input));
    });

    test("the same positions and references of every frame", () => {
      const { frames } = answers[n]!;
      expect(frames.length).toBeGreaterThan(3);
      for (const frame of frames) {
        const source = input.sources.find(({ sopInstanceUid }) => sopInstanceUid === frame.source)!;
        for (const axis of [0, 1, 2] as const) expect(frame.position[axis]).toBeCloseTo(source.positionLps[axis], 6);
        expect(frame.purpose.slice(0, 2)).toEqual(["121322", "DCM"]);
        expect(frame.derivation.slice(0, 2)).toEqual(["113076", "DCM"]);
        expect(frame.index[0]).toBe(frame.segment);
      }
    });

    test("the same names, codes and tracking UIDs of its segments", () => {
      const read = answers[n]!;
      expect(read.segmentNumbers).toEqual([1, 2, 3]);
      expect(read.labels).toEqual(["skull", "left kidney", "liver tumor"]);
      expect(read.types.map(([value]) => value)).toEqual(["89546000", "64033007", "108369006"]);
      expect(read.trackingUids).toEqual(input.segments.map(({ tracking }) => tracking.uid));
      expect(read.overlap).toBe("YES");
      expect(read.patientName).toBe("Müller^Jörg");
      expect(read.organization).toBeNull();
    });
  });

  test("one segment on every slice is organised as 3D and overlaps nothing", () => {
    const read = answers.at(-1)!;
    expect(read.organization).toBe("3D");
    expect(read.overlap).toBe("NO");
    expect(read.volumeShape).toEqual([6, 12, 16, 1]);
  });
});

function writtenMasks({ segments, geometry }: WholeInput): string[] {
  return Array.from({ length: geometry.size[2] }, (_, k) =>
    segments.map(({ mask }) => readSlice(mask, k).join("")),
  ).flat();
}

/** One text of 0 and 1 for each slice and segment. */
function masksOf({ masks, masksShape: [instances, rows, columns, segments] }: SegByHighdicom): string[] {
  const bytes = Buffer.from(masks, "base64");
  return Array.from({ length: instances }, (_, k) =>
    Array.from({ length: segments }, (_s, s) =>
      Array.from({ length: rows * columns }, (_p, p) => bytes[(k * rows * columns + p) * segments + s]).join(""),
    ),
  ).flat();
}

/** Where the set voxels lie, mm to a hundredth, as highdicom's own affine says. */
function voxelsInSpace({ volume, volumeShape: [slices, rows, columns, segments], volumeAffine }: SegByHighdicom) {
  const bytes = Buffer.from(volume, "base64");
  const found: string[] = [];
  for (let k = 0, n = 0; k < slices; k++)
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++)
        for (let s = 1; s <= segments; s++, n++) {
          if (!bytes[n]) continue;
          const point = volumeAffine.slice(0, 3).map((row) => row[0]! * k + row[1]! * j + row[2]! * i + row[3]!);
          found.push(placeOf(s, point));
        }
  return found.sort();
}

function writtenVoxelsInSpace({ segments, geometry }: WholeInput): string[] {
  const [ni, nj, nk] = geometry.size;
  const written: string[] = [];
  for (const [s, { mask }] of segments.entries())
    for (let k = 0; k < nk; k++) {
      const slice = readSlice(mask, k);
      for (let p = 0; p < ni * nj; p++) {
        if (slice[p]) written.push(placeOf(s + 1, transformPoint(geometry.ijkToLps, [p % ni, Math.floor(p / ni), k])));
      }
    }
  return written.sort();
}

function placeOf(segment: number, point: readonly number[]): string {
  return `${segment}: ${point.map((mm) => (Math.round(mm * 100) / 100 + 0).toFixed(2)).join(" ")}`;
}
