import { beforeEach, describe, expect, test } from "vitest";
import type { ModelCard } from "#models/index.ts";
import {
  type ArchiveContents,
  deterministicUid,
  keepRecentSeries,
  nameOfInstances,
  type Ports,
  type SegmentationModel,
} from "#server/domain/index.ts";
import { type JobResult, type SeriesJobRequest, type SucceededJob, seriesJobRequest } from "#server/jobs/index.ts";
import { memoryReviews, type Review } from "#server/reviews/index.ts";
import { createAnswerStands, type StandingParts } from "../../server/answer-stands.ts";
import { createJobRunner } from "../../server/run-job.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { createLogReader, type LogReader } from "../fixtures/log-reader.ts";
import { createMemoryArchive, type MemoryArchive } from "../fixtures/memory-archive.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const ct = syntheticCt(9, 24);
const more = syntheticCt(10, 24);
const notice = { prompts: ["p1"], threshold: 0.5, until: "2030-01-01T00:00:00.000Z" };
const { signal } = new AbortController();
let archive: MemoryArchive;
let model: SegmentationModel;
let ports: Ports;
let log: LogReader;

beforeEach(async () => {
  archive = createMemoryArchive();
  for (const instance of ct.instances()) await archive.sink.store(instance, { signal });
  model = createFakeModel();
  log = createLogReader();
  ports = {
    ...archive,
    models: registryOf(model),
    now: () => new Date("2026-03-04T05:06:07Z"),
    newUid: deterministicUid,
  };
});

/** The job as a server would have it: done by the real runner, over an archive in memory and the fake model. */
async function done(
  words: readonly string[] = ["bright"],
  asked: Parameters<typeof seriesJobRequest>[1] & Pick<SeriesJobRequest, "keepProbabilities"> = {},
): Promise<SucceededJob> {
  const { keepProbabilities, ...question } = asked;
  const request: SeriesJobRequest = {
    ...seriesJobRequest(ct.series, { prompts: words, ...question }),
    ...(keepProbabilities && { keepProbabilities }),
  };
  const run = { jobId: "j1", signal, progress: () => {}, finding: () => {} };
  return jobOf(request, await createJobRunner(ports)(request, run));
}

function jobOf(request: SeriesJobRequest, result: JobResult): SucceededJob {
  const at = new Date("2026-03-04T05:06:07Z");
  const submitted = {
    id: "j1",
    owner: "alice",
    requestId: "r1",
    request,
    priority: "interactive",
    createdAt: at,
  } as const;
  const ended = { attempt: 1, stage: "done", fraction: 1, findings: [], startedAt: at, finishedAt: at } as const;
  return { ...submitted, ...ended, state: "succeeded", result };
}

const stands = (job: SucceededJob, changes: Partial<StandingParts> = {}) =>
  createAnswerStands({
    archive: archive.archive,
    models: async () => [model.card],
    reviews: memoryReviews(),
    probabilities: { notice: async () => notice },
    logger: log.logger,
    ...changes,
  })(job, { signal });

/** Why not, as the log says it. */
const reason = () => log.lines().find(({ event }) => event === "job.not-reused")?.reason;

describe("an answer stands", () => {
  test.each([
    ["with its SEG", ["bright"], {}],
    ["with every kind of object", ["bright"], { outputs: ["seg", "sr", "rtstruct", "sc"] }],
    ["where nothing was to be stored", ["bright"], { outputs: ["detections"] }],
    ["where nothing was found", ["unicorn"], {}],
    ["of a model by name", ["bright"], { model: "fake" }],
  ] as const)("as long as nothing has changed: %s", async (_, words, asked) => {
    const job = await done(words, asked);
    expect([await stands(job), reason()]).toEqual([true, undefined]);
    expect(log.lines()).toMatchObject([{ event: "job.reused", jobId: "j1" }]);
  });

  test("where its series was still there, decoded: what the source called it then counts", async () => {
    const revision = async () => nameOfInstances(await archive.archive.listInstances(ct.series, { signal }));
    ports = {
      ...ports,
      source: { ...archive.source, revision },
      recent: keepRecentSeries({ maxBytes: 1e6, keepMs: 60_000 }),
    };
    await done(["dark"]);
    const job = await done(["bright"]);
    expect(await stands(job)).toBe(true);
    archive.remove(ct.sopInstanceUids.at(-1) ?? "");
    expect(await stands(job)).toBe(false);
    expect(await stands(await done(["bright"]))).toBe(true);
  });

  test("whatever somebody has accepted, or thinks of another job", async () => {
    const reviews = memoryReviews();
    await reviews.put(reviewOf({ verdict: "accepted" }));
    await reviews.put(reviewOf({ verdict: "rejected", jobId: "j2" }));
    expect(await stands(await done(), { reviews })).toBe(true);
  });
});

describe("an answer does not stand", () => {
  test("where an instance came to the series", async () => {
    const job = await done();
    const late = [...more.instances()].at(-1);
    await archive.sink.store(late ?? new Uint8Array(), { signal });
    expect([await stands(job), reason()]).toEqual([false, "instances"]);
  });

  test("where an instance went from it, or another took its place", async () => {
    const job = await done();
    const [first, ...others] = await archive.archive.listInstances(ct.series, { signal });
    const listing = (uids: readonly string[]) => ({ archive: { ...archive.archive, listInstances: async () => uids } });
    expect(await stands(job, listing([first ?? "", ...others].reverse()))).toBe(true);
    expect(await stands(job, listing(others))).toBe(false);
    expect(await stands(job, listing(["1.2.3", ...others]))).toBe(false);
    expect(reason()).toBe("instances");
  });

  test.each(["seg", "sr", "rtstruct", "sc"] as const)("where its %s is not in the archive any more", async (kind) => {
    const job = await done(["bright"], { outputs: ["seg", "sr", "rtstruct", "sc"] });
    archive.remove(job.result[kind]?.sopInstanceUid ?? "");
    expect([await stands(job), reason()]).toEqual([false, "results"]);
  });

  test.each<[string, (card: ModelCard) => readonly ModelCard[]]>([
    ["has other files", (card) => [{ ...card, sha256: "1".repeat(64) }]],
    ["is not installed any more", () => []],
    ["is not the best any more", (card) => [card, { ...card, name: "better", trained: true, sha256: "2".repeat(64) }]],
    ["is another one on another machine", (card) => [card, { ...card, sha256: "1".repeat(64) }]],
    ["does not read such images any more", (card) => [{ ...card, modalities: ["MR"] }]],
  ])("where the model %s", async (_, cards) => {
    const job = await done();
    expect([await stands(job, { models: async () => cards(model.card) }), reason()]).toEqual([false, "model"]);
  });

  test.each(["rejected", "edited"] as const)("where somebody has %s it", async (verdict) => {
    const reviews = memoryReviews();
    await reviews.put(reviewOf({ verdict, reviewer: "bob" }));
    expect([await stands(await done(), { reviews }), reason()]).toEqual([false, "review"]);
  });

  test("where the probabilities that it kept are gone", async () => {
    const { request, result } = await done(["bright"], { keepProbabilities: true });
    const job = jobOf(request as SeriesJobRequest, { ...result, probabilities: notice });
    expect(await stands(job)).toBe(true);
    const probabilities = { notice: async () => undefined };
    expect([await stands(job, { probabilities }), reason()]).toEqual([false, "probabilities"]);
    // Nothing of it was worth keeping: the model's probabilities say no more than its masks.
    expect(result.probabilities).toBeUndefined();
    expect(await stands(jobOf(request as SeriesJobRequest, result), { probabilities })).toBe(true);
  });

  test("where this program makes results in another way now", async () => {
    const { request, result } = await done();
    const basis = { ...result.basis!, edition: result.basis!.edition - 1 };
    expect([await stands(jobOf(request as SeriesJobRequest, { ...result, basis })), reason()]).toEqual([
      false,
      "program",
    ]);
  });

  test("where it cannot be compared: of an earlier version, in a folder, or of an earlier answer", async () => {
    const { request, result } = await done();
    const series = request as SeriesJobRequest;
    const { basis: _none, ...earlier } = result;
    expect(await stands(jobOf(series, earlier))).toBe(false);
    expect(await stands(jobOf({ ...series, outputs: ["seg", "nifti"] }, result))).toBe(false);
    expect(await stands(jobOf({ ...series, recut: { jobId: "j0", thresholds: {} } }, result))).toBe(false);
    expect(reason()).toBe("question");
  });

  test("where the archive is away", async () => {
    const away: ArchiveContents = {
      ...archive.archive,
      listInstances: async () => {
        throw new Error("away");
      },
    };
    expect([await stands(await done(), { archive: away }), reason()]).toEqual([false, "unknown"]);
  });

  test.each(["listInstances", "holds"] as const)(
    "where the archive does not answer %s in time, whether or not it heeds its signal",
    async (method) => {
      const job = await done();
      const slow: ArchiveContents = { ...archive.archive, [method]: () => new Promise(() => {}) };
      expect([await stands(job, { archive: slow, patienceMs: 20 }), reason()]).toEqual([false, "unknown"]);
    },
  );
});

test("whoever is gone already waits for nothing", async () => {
  const job = await done();
  const parts = { archive: archive.archive, reviews: memoryReviews(), probabilities: { notice: async () => notice } };
  const models = () => new Promise<readonly ModelCard[]>(() => {});
  const answerStands = createAnswerStands({ ...parts, models, logger: log.logger });
  expect([await answerStands(job, { signal: AbortSignal.abort() }), reason()]).toEqual([false, "unknown"]);
});

function reviewOf(changes: Partial<Review>): Review {
  const model = { name: "fake", version: "1.0.0" };
  const who = { jobId: "j1", jobOwner: "alice", reviewer: "alice", at: new Date("2026-03-05T00:00:00Z") };
  return { ...who, ...ct.series, verdict: "accepted", model, prompts: [], ...changes };
}
