import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  contoursOnto,
  decodeSeg,
  decodeSeries,
  decodeStructureSet,
  maskOnto,
  readPart10,
} from "#converters/dicom/index.ts";
import type { Volume } from "#converters/geometry/index.ts";
import type { JobView } from "#server/contract/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import { ctSeries } from "../fixtures/ct-slices.ts";
import { dciodvfy, dcmdump, dsrdump } from "../fixtures/dicom-tools.ts";
import { describeWithPython } from "../fixtures/python-checks.ts";
import { readByPython } from "../fixtures/python-files.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startWholeService, type WholeService } from "../fixtures/whole-service.ts";

let service: WholeService;
beforeAll(async () => {
  service = await startWholeService();
});
afterAll(() => service?.[Symbol.asyncDispose]());

const signal = new AbortController().signal;
const everything = ["seg", "sr", "rtstruct", "sc"] as const;
type Kind = (typeof everything)[number];

/** Each object of a result as the archive holds it. */
async function fetched(job: JobView): Promise<Readonly<Partial<Record<Kind, Uint8Array>>>> {
  if (job.state !== "succeeded") throw new Error(JSON.stringify(job.problem));
  const files: Partial<Record<Kind, Uint8Array>> = {};
  for (const kind of everything) {
    const where = job.result?.[kind];
    if (where) files[kind] = await service.archive.archive.fetchInstance(where, { signal });
  }
  return files;
}

async function volumeOf(series: SeriesRef, options: { readonly resample?: boolean } = {}): Promise<Volume> {
  return (await decodeSeries(service.archive.source.instances(series, { signal }), options)).volume;
}

/** Series of a study, by modality. */
async function seriesIn(studyInstanceUid: string): Promise<readonly string[]> {
  const found = await service.archive.archive.searchSeries({ studyInstanceUid }, { signal });
  return found.map(({ modality }) => modality ?? "").sort();
}

describe("a CT of which everything is asked for", () => {
  let ct: SeriesRef;
  let job: JobView;
  let files: Readonly<Partial<Record<Kind, Uint8Array>>>;

  beforeAll(async () => {
    ct = await service.load(syntheticCt(20, 64).instances());
    job = await service.job(ct, ["bone", "air", "metal", "unicorn"], { outputs: everything });
    files = await fetched(job);
  });

  test("has all four in its study, once, however often it is asked", async () => {
    const again = await service.job(ct, ["bone", "air", "metal", "unicorn"], { outputs: everything, force: true });
    expect(again.id).not.toBe(job.id);
    for (const kind of everything) expect(again.result?.[kind]).toEqual(job.result?.[kind]);
    expect(await seriesIn(ct.studyInstanceUid)).toEqual(["CT", "OT", "RTSTRUCT", "SEG", "SR"]);
  });

  test.each(everything)("has a %s without an error, which dcmtk reads to its end", (kind) => {
    expect(dciodvfy(files[kind]!).errors).toEqual([]);
    expect(dcmdump(files[kind]!).status).toBe(0);
    if (kind === "sr") expect(dsrdump(files.sr!).status).toBe(0);
  });

  test("has a report that says what is absent, but not of what rules have not looked for, nor how certain they are", () => {
    const stdout = dsrdump(files.sr!).lines.join("\n");
    expect(stdout).toContain("metal");
    expect(stdout).not.toContain("unicorn");
    expect(stdout).not.toContain("Certainty");
  });

  test("has contours around the voxels of its SEG", async () => {
    const { geometry } = await volumeOf(ct);
    const seg = decodeSeg(files.seg!);
    const { rois } = decodeStructureSet(files.rtstruct!);
    expect(rois.map(({ name }) => name)).toEqual(["bone", "air"]);
    for (const [n, roi] of rois.entries()) {
      expect(Buffer.compare(contoursOnto(roi, geometry).bits, maskOnto(seg, n + 1, geometry).bits)).toBe(0);
    }
  });

  test("tells of each piece where it is in voxels, how long, and how dense", async () => {
    const [bone] = job.findings;
    const { geometry, voxels } = await volumeOf(ct);
    const [piece] = bone!.components;
    const { min, max } = piece!.boxIjk!;
    const mask = maskOnto(decodeSeg(files.seg!), 1, geometry);
    const values: number[] = [];
    for (let n = 0; n < voxels.length; n++) if ((mask.bits[n >>> 3]! >>> (n & 7)) & 1) values.push(voxels[n]!);
    if (bone!.components.length === 1) {
      expect(piece?.meanValue).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 6);
    }
    expect(piece?.valueUnit).toBe("HU");
    expect(max.every((last, axis) => last >= min[axis]! && last < geometry.size[axis]!)).toBe(true);
    expect(piece?.longestDiameterMm).toBeLessThanOrEqual(
      Math.hypot(...[0, 1].map((n) => (max[n]! - min[n]! + 1) * 0.7)),
    );
  });
});

describe("the other kinds of SEG, read back from the archive", () => {
  test.each(["fractional", "labelmap"] as const)("%s has the voxels of the binary one", async (segmentationType) => {
    const ct = await service.load(syntheticCt(12, 48, segmentationType).instances());
    const { geometry } = await volumeOf(ct);
    const [plain, other] = await Promise.all(
      ["binary", segmentationType].map(async (type) =>
        decodeSeg((await fetched(await service.job(ct, ["bone", "air"], { segmentationType: type }))).seg!),
      ),
    );
    expect(other!.type.toLowerCase()).toBe(segmentationType);
    for (const number of [1, 2]) {
      expect(Buffer.compare(maskOnto(other!, number, geometry).bits, maskOnto(plain!, number, geometry).bits)).toBe(0);
    }
    expect(await service.segSeries(ct.studyInstanceUid)).toBe(2);
  });

  test("a deflated one is smaller, has the voxels of the plain one and no error", async () => {
    const ct = await service.load(syntheticCt(12, 48, "deflated").instances());
    const { geometry } = await volumeOf(ct);
    const [plain, deflated] = await Promise.all(
      [false, true].map(async (asked) => (await fetched(await service.job(ct, ["bone"], { deflated: asked }))).seg!),
    );
    expect(
      Buffer.compare(maskOnto(decodeSeg(deflated!), 1, geometry).bits, maskOnto(decodeSeg(plain!), 1, geometry).bits),
    ).toBe(0);
    // dciodvfy cannot seek in a deflated file; dcmtk reads it to its end.
    expect(dcmdump(deflated!).status).toBe(0);
    expect(readPart10(deflated!).transferSyntaxUid).toBe("1.2.840.10008.1.2.1.99");
    expect(deflated!.length).toBeLessThan(plain!.length);
    expect(await service.segSeries(ct.studyInstanceUid)).toBe(2);
  });

  test("fractional has no error", async () => {
    const ct = await service.load(syntheticCt(12, 48, "valid").instances());
    const { seg } = await fetched(await service.job(ct, ["bone"], { segmentationType: "fractional" }));
    expect(dciodvfy(seg!).errors).toEqual([]);
  });
});

describe("what may stand alone", () => {
  test("detections: findings, and nothing in the archive", async () => {
    const ct = await service.load(syntheticCt(10, 32, "detections").instances());
    const job = await service.job(ct, ["bone", "unicorn"], { outputs: ["detections"] });
    expect(job.findings.map(({ present }) => present)).toEqual([true, false]);
    expect(await seriesIn(ct.studyInstanceUid)).toEqual(["CT"]);
  });

  test("a report where nothing was found, and nothing where nothing was looked for", async () => {
    const ct = await service.load(syntheticCt(10, 32, "nothing").instances());
    const unknown = await service.job(ct, ["unicorn"], { outputs: everything });
    expect(unknown.findings[0]?.notes.join()).toContain("no rule for these words");
    expect(await seriesIn(ct.studyInstanceUid)).toEqual(["CT"]);
    const job = await service.job(ct, ["metal"], { outputs: everything });
    const { sr, ...others } = await fetched(job);
    expect(others).toEqual({});
    expect(dciodvfy(sr!).errors).toEqual([]);
    expect(await seriesIn(ct.studyInstanceUid)).toEqual(["CT", "SR"]);
  });
});

test("a series with a missing slice is refused, or resampled into all four objects without an error", async () => {
  const series = await service.load(ctSeries().toSpliced(2, 1));
  expect(await service.job(series, ["fat"])).toMatchObject({
    state: "failed",
    problem: { code: "unsupported-series", details: { reason: "missing-slice" } },
  });
  const job = await service.job(series, ["fat", "air", "soft tissue", "lung", "bone"], {
    resample: true,
    outputs: everything,
  });
  const files = await fetched(job);
  expect(job.result?.notes.join()).toContain("interpolated onto a regular grid");
  for (const part10 of Object.values(files)) expect(dciodvfy(part10).errors).toEqual([]);
});

describeWithData("a real CT whose gantry was tilted", () => {
  test("is resampled when asked, and every object is without an error", async () => {
    const series = await service.load(readSeries("odd_geometry_dicom2nifti", "gantrytilting", "001"));
    // Without its specks: of each one the contours would be an item that the archive has to parse.
    const asked = { resample: true, outputs: everything, minimumVolumeMm3: 1000 };
    const job = await service.job(series, ["air"], asked);
    const files = await fetched(job);
    expect(Object.keys(files)).toEqual([...everything]);
    for (const part10 of Object.values(files)) expect(dciodvfy(part10).errors).toEqual([]);
    const sources = decodeSeg(files.seg!).frames.map(({ sourceSopInstanceUid }) => sourceSopInstanceUid);
    expect(sources.length).toBeGreaterThan(0);
    expect(sources).not.toContain(undefined);
  });
});

describeWithPython("highdicom reads what the archive holds", () => {
  test("the report, whose volumes are those of the findings, and every kind of SEG", async () => {
    const ct = await service.load(syntheticCt(12, 48, "python").instances());
    const asked = { outputs: ["seg", "sr"] };
    const jobs: JobView[] = [];
    for (const segmentationType of ["binary", "fractional", "labelmap"]) {
      jobs.push(await service.job(ct, ["bone", "air", "metal"], { ...asked, segmentationType }));
    }
    const all = await Promise.all(jobs.map(fetched));
    const reports = readByPython(
      "read_report.py",
      all.map(({ sr }) => ({ part10: sr! })),
    ) as readonly {
      readonly groups: readonly {
        readonly trackingUid: string;
        readonly segment: readonly [string, readonly number[]] | null;
        readonly measurements: readonly (readonly [readonly string[], number])[];
      }[];
    }[];
    for (const [n, { groups }] of reports.entries()) {
      const { findings, result } = jobs[n]!;
      const seg = result?.seg?.sopInstanceUid;
      expect(groups.map(({ segment }) => segment)).toEqual([[seg, [1]], [seg, [2]], null]);
      for (const [f, { trackingUid, measurements }] of groups.entries()) {
        const { present, tracking, volumeMl } = findings[f]!;
        const told = measurements.find(([name]) => name[0] === "118565006")?.[1];
        expect(told).toEqual(present ? expect.closeTo(volumeMl!, 6) : undefined);
        if (present) expect(trackingUid).toBe(tracking?.uid);
      }
    }
    const sources = (await volumeOf(ct)).sources.map(({ sopInstanceUid }) => sopInstanceUid);
    const kinds = readByPython(
      "read_seg_kinds.py",
      all.slice(1).map(({ seg }) => ({ part10: seg!, sources })),
    ) as readonly { readonly type: string; readonly pixels: string; readonly segmentNumbers: readonly number[] }[];
    expect(kinds.map(({ type }) => type)).toEqual(["FRACTIONAL", "LABELMAP"]);
    const voxels = kinds.map(({ type, pixels }) => {
      const bytes = Buffer.from(pixels, "base64");
      const counts = [0, 0];
      for (let n = 0; n < bytes.length; n++) if (bytes[n]! >= (type === "LABELMAP" ? 1 : 128)) counts[n % 2]!++;
      return counts;
    });
    const wanted = jobs[0]!.findings.slice(0, 2).map((finding) => finding.voxels);
    expect(voxels).toEqual([wanted, wanted]);
  });
});
