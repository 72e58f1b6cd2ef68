import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JobView } from "#server/contract/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import { type GatedArchive, startGatedArchive } from "../fixtures/gated-archive.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startWholeService, type WholeService } from "../fixtures/whole-service.ts";

/** Without the cache on disk no source tells revisions: what the archive lists is compared all the same. */
describe.each([
  ["in memory", {}],
  ["in a database", { PARSE3D_JOBS: "durable" }],
  ["in memory, without a cache", { PARSE3D_CACHE_BYTES: "0" }],
])("with jobs %s, a question that is asked again", (where, environment) => {
  let service: WholeService;
  let gate: GatedArchive;
  beforeAll(async () => {
    service = await startWholeService(environment, async (dicomwebUrl) => {
      gate = await startGatedArchive(dicomwebUrl);
      return gate.url;
    });
  });
  afterAll(async () => {
    await service?.[Symbol.asyncDispose]();
    await gate?.[Symbol.asyncDispose]();
  });

  const load = async (seed: string, slices = 12) => {
    const ct = syntheticCt(slices, 48, `${where} ${seed}`);
    return { ct, series: await service.load(ct.instances()) };
  };

  /** Asks again, and tells whether the answer is the earlier job's. */
  async function isAnswered(series: SeriesRef, earlier: JobView, more = {}): Promise<boolean> {
    const again = await service.job(series, ["bone"], more);
    expect(again).toMatchObject({ state: "succeeded", findings: [{ present: true }] });
    if (again.id !== earlier.id) return false;
    expect(again).toEqual(earlier);
    return true;
  }

  async function remove(uid: string): Promise<void> {
    const { baseUrl } = service.orthanc;
    const found = await fetch(`${baseUrl}/tools/lookup`, { method: "POST", body: uid });
    for (const { ID } of (await found.json()) as { readonly ID: string }[]) {
      await fetch(`${baseUrl}/instances/${ID}`, { method: "DELETE" });
    }
  }

  test("is answered with the job that answered it, and its series is not fetched", async () => {
    const { series } = await load("unchanged");
    const asked = { outputs: ["seg", "sr", "rtstruct", "sc"], keepProbabilities: true };
    const first = await service.job(series, ["bone"], asked);
    const { retrieved } = gate;
    expect(await isAnswered(series, first, asked)).toBe(true);
    expect(gate.retrieved).toBe(retrieved);
    const nothing = await service.job(series, ["left kidney"]);
    expect(nothing.result?.seg).toBeUndefined();
    expect((await service.job(series, ["left kidney"])).id).toBe(nothing.id);
  });

  test("is asked anew once an instance came, and once one went", async () => {
    const { ct, series } = await load("late");
    const first = await service.job(series, ["bone"]);
    const late = [...syntheticCt(13, 48, `${where} late`).instances()].slice(12);
    await service.load(late);
    expect(await isAnswered(series, first)).toBe(false);
    const whole = await service.job(series, ["bone"]);
    await remove(ct.sopInstanceUids[0] ?? "");
    expect(await isAnswered(series, whole)).toBe(false);
  });

  test("is asked anew where its SEG was removed from the archive, which then holds it again", async () => {
    const { series } = await load("removed");
    const first = await service.job(series, ["bone"]);
    await remove(first.result?.seg?.sopInstanceUid ?? "");
    expect(await service.segSeries(series.studyInstanceUid)).toBe(0);
    expect(await isAnswered(series, first)).toBe(false);
    expect(await service.segSeries(series.studyInstanceUid)).toBe(1);
  });

  test("is asked anew where somebody has rejected the answer, and not where it was accepted", async () => {
    const { series } = await load("reviewed");
    const first = await service.job(series, ["bone"]);
    const review = (verdict: "accepted" | "rejected") =>
      service.api.call("submitReview", { params: { id: first.id }, body: { verdict } });
    await review("accepted");
    expect(await isAnswered(series, first)).toBe(true);
    await review("rejected");
    expect(await isAnswered(series, first)).toBe(false);
  });
});
