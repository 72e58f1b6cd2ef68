import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSeg } from "#converters/dicom/index.ts";
import type { JobView } from "#server/contract/index.ts";
import { runsOf, type SeriesRef } from "#server/domain/index.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startWholeService, type WholeService } from "../fixtures/whole-service.ts";

const side = 48;
const signal = new AbortController().signal;

describe("results of the whole service, with jobs in a database", () => {
  let service: WholeService;
  let ct: SeriesRef;

  beforeAll(async () => {
    service = await startWholeService({ PARSE3D_JOBS: "durable" });
    ct = await service.load(syntheticCt(24, side).instances());
  });
  afterAll(() => service?.[Symbol.asyncDispose]());

  const segOf = async ({ result }: JobView) =>
    decodeSeg(await service.archive.archive.fetchInstance(result!.seg!, { signal }));
  const voxelsOf = async (job: JobView) => {
    const seg = await segOf(job);
    return seg.frames.reduce((sum, _, n) => sum + seg.framePixels(n).reduce((a, b) => a + b, 0), 0);
  };

  test("previews come from the worker thread while the job runs, and are the stored mask", async () => {
    const body = { ...ct, prompts: ["bone"], preview: true };
    const { id } = await service.api.call("submitJob", { body });
    const previews = new Map<number, readonly number[]>();
    for await (const event of service.api.events(id)) {
      if (event.type === "preview") previews.set(event.sliceIndex, event.runs);
    }
    const job = await service.api.call("readJob", { params: { id } });
    expect([...previews.keys()].sort((a, b) => a - b)).toEqual(job.findings[0]?.slices);
    const seg = await segOf(job);
    const slices = job.findings[0]?.slices ?? [];
    for (const [n, k] of slices.entries()) expect(previews.get(k)).toEqual(runsOf(seg.framePixels(n)));
  });

  test("kept probabilities are cut again without inference, and the new SEG is what they say", async () => {
    const job = await service.job(ct, ["bone"], { keepProbabilities: true, force: true });
    expect(job.result?.probabilities).toMatchObject({ prompts: ["p1"], threshold: 0.5 });
    const response = await service.api.send("readProbabilities", { params: { id: job.id, promptId: "p1" } });
    const values = new Uint8Array(await response.arrayBuffer());
    expect(values.length).toBe(side * side * 24);
    const above = (threshold: number) => values.reduce((sum, value) => sum + Number(value > 255 * threshold), 0);
    expect(above(0.5)).toBe(await voxelsOf(job));

    const { id } = await service.api.call("cutAgain", { params: { id: job.id }, body: { thresholds: { p1: 0.9 } } });
    for await (const _ of service.api.events(id));
    const cut = await service.api.call("readJob", { params: { id } });
    expect(cut.problem).toBeUndefined();
    expect(cut.state).toBe("succeeded");
    expect(await voxelsOf(cut)).toBe(above(0.9));
    expect(cut.result?.seconds.infer).toBe(0);
    expect(cut.result?.seg?.sopInstanceUid).not.toBe(job.result?.seg?.sopInstanceUid);
  });

  test("an edit is stored by a thread of its own, the verdict is in the database, and the command exports it", async () => {
    const job = await service.job(ct, ["bone"], { force: true });
    const seg = await segOf(job);
    const [first = 0, ...others] = job.findings[0]?.slices ?? [];
    const slices = others.map((sliceIndex, n) => ({ sliceIndex, runs: runsOf(seg.framePixels(n + 1)) }));
    const review = await service.api.call("submitReview", {
      params: { id: job.id },
      body: { verdict: "edited", reason: "first slice is noise", segments: [{ promptId: "p1", slices }] },
    });
    const whole = await voxelsOf(job);
    const left = await voxelsOf({ result: { seg: review.seg } } as unknown as JobView);
    expect(seg.framePixels(0).some((pixel) => pixel === 1)).toBe(true);
    expect(first).toBeLessThan(others[0]!);
    expect(review.prompts[0]?.dice).toBeCloseTo((2 * left) / (left + whole), 9);
    expect((await service.api.call("listReviews", { query: { verdict: "edited" } })).reviews).toEqual([review]);

    const command = resolve(import.meta.dirname, "../../bin/parse3d");
    const child = spawn(command, ["reviews", "export"], {
      env: { ...process.env, PARSE3D_PORT: new URL(service.url).port },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    for await (const text of child.stdout.setEncoding("utf8")) out += text;
    const [head, line] = out.trim().split("\n");
    expect(head).toContain("verdict,reason");
    expect(line).toContain(`${job.id},`);
    expect(line).toContain("edited,first slice is noise");
    expect(line).toContain(review.seg!.sopInstanceUid);
  });

  test("a picture shows three planes of what was stored", async () => {
    const job = await service.job(ct, ["bone"], { force: true });
    const response = await service.api.send("readPicture", { params: { id: job.id } });
    expect(response.status).toBe(200);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect([...bytes.subarray(1, 4)]).toEqual([80, 78, 71]);
    expect(bytes.length).toBeGreaterThan(2000);
  });
});
