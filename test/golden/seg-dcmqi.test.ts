import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeReport, encodeSeg, type SegKind } from "#converters/dicom/index.ts";
import { transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import { type Nrrd, readNrrd } from "../fixtures/nrrd.ts";
import { describeWithPython, runProgram } from "../fixtures/python-checks.ts";
import { reportInput } from "../fixtures/report-cases.ts";
import { exclusiveSegments, fractionalSegments, geometryOf, segInput, type WholeInput } from "../fixtures/seg-cases.ts";

const size: Vec3 = [5, 7, 6];
const COMPRESSIONS = { binary: ["none", "deflated"], fractional: ["none", "rle"], labelmap: ["none", "rle"] } as const;
const CASES = (["binary", "fractional", "labelmap"] as const).flatMap((kind) =>
  COMPRESSIONS[kind].flatMap((compression) =>
    (["axial", "oblique", "sagittal"] as const).map((grid) => ({ kind, compression, grid })),
  ),
);

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "parse3d-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files that dcmqi writes, in order: several labels in one where none overlap, else one for each segment. */
function readByDcmqi(part10: Uint8Array): readonly Nrrd[] {
  return inFolder((folder) => {
    const file = join(folder, "seg.dcm");
    writeFileSync(file, part10);
    runProgram("segimage2itkimage", ["--inputDICOM", file, "--outputDirectory", folder, "-t", "nrrd"]);
    const names = readdirSync(folder).filter((name) => name.endsWith(".nrrd"));
    return names.toSorted().map((name) => readNrrd(readFileSync(join(folder, name))));
  });
}

/** Value by place in the patient, mm to a hundredth; zeros are left out. */
function byPlace({ size: [ni, nj, nk], origin, directions: [i, j, k], voxels }: Nrrd): Map<string, number> {
  const values = new Map<string, number>();
  for (let c = 0, n = 0; c < nk; c++)
    for (let b = 0; b < nj; b++)
      for (let a = 0; a < ni; a++, n++) {
        if (voxels[n] === 0) continue;
        values.set(placeOf([0, 1, 2].map((x) => origin[x]! + i[x]! * a + j[x]! * b + k[x]! * c)), voxels[n]!);
      }
  return values;
}

function placeOf(point: readonly number[]): string {
  return point.map((mm) => (Math.round(mm * 100) / 100 + 0).toFixed(2)).join(" ");
}

function writtenByPlace({ geometry, segments, kind }: WholeInput, s: number): Map<string, number> {
  const { mask, probabilities } = segments[s]!;
  const values = new Map<string, number>();
  for (let k = 0; k < size[2]; k++) {
    const members = readSlice(mask, k).map((bit) => bit * (kind === "fractional" ? 255 : s + 1));
    const slice = probabilities === undefined ? members : (probabilities(k) ?? new Uint8Array(members.length));
    for (const [p, value] of slice.entries()) {
      const point = transformPoint(geometry.ijkToLps, [p % size[0], Math.floor(p / size[0]), k]);
      if (value !== 0) values.set(placeOf(point), value);
    }
  }
  return values;
}

function inputOf(kind: SegKind, grid: (typeof CASES)[number]["grid"]): WholeInput {
  const segments = kind === "fractional" ? fractionalSegments(size) : exclusiveSegments(size, 3);
  return { ...segInput(geometryOf(grid, size), segments), kind };
}

describeWithPython("dcmqi", () => {
  test.each(CASES)("reads our SEG: $kind, $compression, on a grid that lies $grid", ({ kind, compression, grid }) => {
    const input = { ...inputOf(kind, grid), compression };
    const read = readByDcmqi(encodeSeg(input)).map(byPlace);
    const written = input.segments.map((_, s) => writtenByPlace(input, s));
    if (kind === "fractional") expect(read).toEqual(written);
    else expect(new Map(read.flatMap((one) => [...one]))).toEqual(new Map(written.flatMap((one) => [...one])));
  });

  describe("reads our report", () => {
    test("its findings with their segments, volumes and presence", () => {
      const read = inFolder((folder) => {
        const [file, json] = [join(folder, "report.dcm"), join(folder, "report.json")];
        writeFileSync(file, encodeReport(reportInput));
        runProgram("tid1500reader", ["--inputDICOM", file, "--outputMetadata", json]);
        return JSON.parse(readFileSync(json, "utf8")) as ReportByDcmqi;
      });
      const [skull, cyst] = reportInput.findings;
      expect(read.Measurements.slice(0, 2)).toMatchObject([
        { TrackingUniqueIdentifier: skull!.tracking.uid, ReferencedSegment: 1, Finding: { CodeMeaning: "Skull" } },
        { TrackingUniqueIdentifier: cyst!.tracking.uid, ReferencedSegment: 2, Finding: { CodeMeaning: "Cyst" } },
      ]);
      const volumes = read.Measurements.flatMap(({ measurementItems }) =>
        measurementItems.filter(({ quantity }) => quantity.CodeValue === "118565006").map(({ value }) => Number(value)),
      );
      const written = reportInput.findings.flatMap((finding) => (finding.present ? [finding.volumeMl] : []));
      expect(volumes).toEqual(written.map((ml) => expect.closeTo(ml!, 9)));
    });
  });
});

/** A part of what tid1500reader prints. */
interface ReportByDcmqi {
  readonly Measurements: readonly {
    readonly measurementItems: readonly { readonly quantity: { readonly CodeValue: string }; readonly value: string }[];
  }[];
}
