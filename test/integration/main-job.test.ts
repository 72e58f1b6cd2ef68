import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSeg, decodeSeries, maskOnto } from "#converters/dicom/index.ts";
import type { Volume } from "#converters/geometry/index.ts";
import { type BitVolume, readSlice } from "#converters/mask/index.ts";
import type { JobView } from "#server/contract/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import { dciodvfy } from "../fixtures/dicom-tools.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { inferenceProcesses, startWholeService, type WholeService } from "../fixtures/whole-service.ts";

let service: WholeService;

beforeAll(async () => {
  service = await startWholeService();
});

afterAll(() => service?.[Symbol.asyncDispose]());

const signal = new AbortController().signal;

/** The masks of a job's SEG as the archive holds it, on the grid of the series as our own reader sees it. */
async function storedMasks(
  series: SeriesRef,
  job: JobView,
): Promise<{ volume: Volume; masks: BitVolume[]; part10: Uint8Array }> {
  if (!job.result?.seg) throw new Error(`no SEG: ${JSON.stringify(job.problem ?? job.result)}`);
  const part10 = await service.archive.archive.fetchInstance(job.result.seg, { signal });
  const { volume } = await decodeSeries(service.archive.source.instances(series, { signal }));
  const seg = decodeSeg(part10);
  return { volume, part10, masks: seg.segments.map(({ number }) => maskOnto(seg, number, volume.geometry)) };
}

/** Values inside and outside of a mask that lie in a range of HU. */
function countsByHu({ geometry: { size }, voxels }: Volume, mask: BitVolume, [low, high]: readonly [number, number]) {
  const pixels = size[0] * size[1];
  const counts = { inside: 0, insideInRange: 0, inRange: 0 };
  for (let k = 0; k < size[2]; k++) {
    const slice = readSlice(mask, k);
    for (let p = 0; p < pixels; p++) {
      const value = voxels[k * pixels + p]!;
      const inRange = value >= low && value <= high;
      if (inRange) counts.inRange++;
      if (slice[p]) counts.inside++;
      if (slice[p] && inRange) counts.insideInRange++;
    }
  }
  return counts;
}

describeWithData("a real series", () => {
  test.each([
    ["CT of the abdomen, uncompressed", ["ct_abdomen_crlm1004", "dicom"]],
    ["CT of the abdomen, JPEG 2000", ["ct_abdomen_j2k_totalseg", "dicom_with_uids"]],
  ])("%s: bone and lung lie where the HU say, in a SEG without an error", async (_, folder) => {
    const series = await service.load(readSeries(...folder));
    const job = await service.job(series, ["bone", "lung"]);
    expect(job.state).toBe("succeeded");
    expect(job.findings.map(({ present }) => present)).toEqual([true, true]);
    const { volume, masks, part10 } = await storedMasks(series, job);
    const [bone, lung] = masks;
    for (const [mask, range] of [
      [bone!, [224, 2495]],
      [lung!, [-928, -401]],
    ] as const) {
      const counts = countsByHu(volume, mask, range);
      expect(counts.insideInRange).toBe(counts.inside);
      // Slices with a few voxels in range only are left out: the rules call them absent there.
      expect(counts.insideInRange / counts.inRange).toBeGreaterThan(0.999);
    }
    expect(dciodvfy(part10).errors).toEqual([]);
  });

  test.each([
    ["gantrytilting", "gantry-tilt"],
    ["sliceincrement", "missing-slice"],
    ["notavolume", "single-position"],
    ["sliceorientation", "mixed-orientation"],
    ["slicecount", "too-few-slices"],
  ])("odd geometry, %s, is refused as %s and nothing is stored", async (folder, reason) => {
    const series = await service.load(readSeries("odd_geometry_dicom2nifti", folder, "001"));
    const job = await service.job(series, ["bone"], { model: "density-ct" });
    expect(job).toMatchObject({ state: "failed", problem: { code: "unsupported-series", details: { reason } } });
    expect(await service.segSeries(series.studyInstanceUid)).toBe(0);
  });
});

describe("what is asked for", () => {
  let ct: SeriesRef;

  beforeAll(async () => {
    ct = await service.load(syntheticCt(30, 128).instances());
  });

  test("a word that the rules do not know is answered as not present, through the same path, and nothing is stored", async () => {
    const job = await service.job(ct, ["left kidney"]);
    expect(job.state).toBe("succeeded");
    expect(job.findings).toMatchObject([{ present: false, voxels: 0 }]);
    expect(job.findings[0]?.score).toBeLessThan(0.5);
    expect(job.result?.seg).toBeUndefined();
    expect(job.result?.notes.join()).toContain("no segmentation was stored");
    expect(await service.segSeries(ct.studyInstanceUid)).toBe(0);
  });

  test.each([
    ["an empty prompt", ""],
    ["10,000 characters", "a".repeat(10_000)],
  ])("%s is refused before anything is fetched", async (_, prompt) => {
    await expect(service.job(ct, [prompt])).rejects.toMatchObject({ problem: { status: 422, code: "invalid-prompt" } });
  });

  test("the same question again is answered with the same job; with force anew, with the same SEG, which the archive holds once", async () => {
    const first = await service.job(ct, ["bone"]);
    expect(first.result?.seg).toBeDefined();
    expect(await service.job(ct, ["bone"])).toEqual(first);
    const again = await service.job(ct, ["bone"], { force: true });
    expect(again.id).not.toBe(first.id);
    expect(again.result?.seg).toEqual(first.result?.seg);
    expect(await service.segSeries(ct.studyInstanceUid)).toBe(1);
    expect((await service.job(ct, ["bone"])).id).toBe(again.id);
  });

  test("a model that does not exist, or knows nothing of the modality, is a named error", async () => {
    const unknown = await service.job(ct, ["bone"], { model: "no-such-model" });
    expect(unknown).toMatchObject({ state: "failed", problem: { code: "model-not-found" } });
  });

  test("wrong UIDs and a series of another study are not found", async () => {
    const other = await service.load(syntheticCt(5, 16, "other").instances());
    const wrong = await service.job({ ...ct, seriesInstanceUid: "1.2.3.4" }, ["bone"]);
    const mixed = await service.job({ ...ct, seriesInstanceUid: other.seriesInstanceUid }, ["bone"]);
    expect(wrong).toMatchObject({ state: "failed", problem: { code: "series-not-found", retryable: false } });
    expect(mixed).toMatchObject({ state: "failed", problem: { code: "series-not-found" } });
    expect(mixed.problem?.detail).not.toEqual(wrong.problem?.detail);
  });
});

describe("a job in the middle of its inference", () => {
  let ct: SeriesRef;

  beforeAll(async () => {
    ct = await service.load(syntheticCt(400, 64, "long").instances());
  });

  async function submitUntilInfer(prompt: string): Promise<string> {
    const body = { studyInstanceUid: ct.studyInstanceUid, seriesInstanceUid: ct.seriesInstanceUid, prompts: [prompt] };
    const { id } = await service.api.call("submitJob", { body });
    for await (const event of service.api.events(id)) {
      if (event.type === "progress" && event.stage === "infer" && event.fraction > 0) return id;
    }
    throw new Error("the job ended before its inference was seen");
  }

  test("killing the inference process fails the job as retryable, and the next job succeeds", async () => {
    const id = await submitUntilInfer("bone");
    const pids = await inferenceProcesses();
    expect(pids).toHaveLength(1);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    for await (const _event of service.api.events(id));
    const job = await service.api.call("readJob", { params: { id } });
    expect(job).toMatchObject({ state: "failed", problem: { code: "model-unavailable", retryable: true } });
    expect((await service.api.call("health")).status).toBe("alive");
    expect((await service.job(ct, ["fat"])).state).toBe("succeeded");
  });

  test("cancelling ends it at once, frees the model, and stores nothing", async () => {
    const before = await service.segSeries(ct.studyInstanceUid);
    const id = await submitUntilInfer("air");
    const job = await service.api.call("cancelJob", { params: { id }, signal: AbortSignal.timeout(1500) });
    expect(job.state).toBe("cancelled");
    expect(await service.segSeries(ct.studyInstanceUid)).toBe(before);
    expect((await service.job(ct, ["soft tissue"])).state).toBe("succeeded");
  });
});
