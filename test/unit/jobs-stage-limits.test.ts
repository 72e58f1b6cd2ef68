import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type JobRequest, type JobRun, type JobRunner, withStageLimits } from "#server/jobs/index.ts";

const unlimited = { fetch: 60_000, decode: 60_000, infer: 60_000, encode: 60_000, store: 60_000 };
const request: JobRequest = {
  kind: "series",
  series: { studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.4" },
  prompts: [{ id: "p1", text: "bone" }],
  merge: "exclusive",
  outputs: ["seg"],
};
const result = { model: { name: "fake", version: "1", title: "Fake", trained: false }, notes: [], seconds: {} };

function runOf(signal = new AbortController().signal): JobRun {
  return { jobId: "j", signal, progress: () => {}, finding: () => {} } as JobRun;
}

/** Stays in one stage until it is stopped. */
function stuckIn(...stages: Parameters<JobRun["progress"]>[0][]): JobRunner {
  return async (_request, { signal, progress }) => {
    for (const stage of stages) progress(stage, 0);
    await sleep(60_000, undefined, { signal });
    return result;
  };
}

test.each([
  [["fetch"], "fetch"],
  [["fetch", "decode"], "decode"],
  [["fetch", "decode", "prepare", "infer"], "infer"],
  [["fetch", "encode"], "encode"],
  [["fetch", "encode", "store"], "store"],
] as const)("a job that goes through %j and stays there fails by the limit of %s", async (stages, part) => {
  const runner = withStageLimits(stuckIn(...stages), { ...unlimited, [part]: 20 });
  await expect(runner(request, runOf())).rejects.toMatchObject({
    code: "job-timeout",
    retryable: true,
    details: { stage: part, limitSeconds: 0.02 },
    message: expect.stringContaining(`PARSE3D_${part.toUpperCase()}_TIMEOUT_SECONDS`),
  });
});

test("what is told again within a stage does not give it more time; preparing counts as inferring", async () => {
  const runner = withStageLimits(
    async (_request, { signal, progress }) => {
      for (;;) {
        progress("prepare", 0.5);
        progress("infer", 0.5);
        await sleep(5, undefined, { signal });
      }
    },
    { ...unlimited, infer: 40 },
  );
  await expect(runner(request, runOf())).rejects.toMatchObject({ code: "job-timeout" });
});

test("each stage has its own time, and a job that heeds them ends as it would", async () => {
  const runner = withStageLimits(
    async (_request, { progress }) => {
      for (const stage of ["fetch", "decode", "infer", "encode", "store"] as const) {
        progress(stage, 0);
        await sleep(30);
      }
      return result;
    },
    { fetch: 1000, decode: 1000, infer: 1000, encode: 1000, store: 1000 },
  );
  expect(await runner(request, runOf())).toEqual(result);
});

test("a job that is cancelled is cancelled, not late", async () => {
  const cancel = new AbortController();
  const running = withStageLimits(stuckIn("fetch"), unlimited)(request, runOf(cancel.signal));
  cancel.abort(new Error("cancelled"));
  await expect(running).rejects.toMatchObject({ name: "AbortError" });
});
