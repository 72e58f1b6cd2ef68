import { expect, test } from "vitest";
import { type JobRequest, type JobRun, RemoteError, runInWorker } from "#server/jobs/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createLogReader } from "../fixtures/log-reader.ts";

const entry = new URL("../fixtures/fake-worker.ts", import.meta.url);

function open(options: { readonly cancelGraceMs?: number } = {}) {
  const log = createLogReader();
  const worker = runInWorker({ entry, workerData: "fake", logger: log.logger, ...options });
  return { worker, log, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

function ask(text: string): JobRequest {
  const series = { studyInstanceUid: "1.2", seriesInstanceUid: "1.2.3" };
  return { kind: "series", series, prompts: [{ id: "p1", text }], merge: "exclusive", outputs: ["seg"] };
}

let jobs = 0;
function watch(signal: AbortSignal = new AbortController().signal) {
  const seen: unknown[] = [];
  const run: JobRun = {
    jobId: `job-${++jobs}`,
    signal,
    progress: (...progress) => seen.push(progress),
    finding: ({ prompt }) => seen.push(prompt.text),
  };
  return { seen, run };
}

test("progress, findings and the result come across", async () => {
  await using it = open();
  const { seen, run } = watch();
  const result = await it.worker.run(ask("skull"), run);
  expect(seen).toEqual([["infer", 0.5, "1/2"], "skull"]);
  expect(result).toMatchObject({ model: { name: "fake" }, seconds: { infer: 1 } });
});

test("a typed refusal keeps its code, words and details", async () => {
  await using it = open();
  const failure = it.worker.run(ask("refuse"), watch().run);
  await expect(failure).rejects.toBeInstanceOf(RemoteError);
  await expect(failure).rejects.toMatchObject({
    code: "unsupported-series",
    message: "Slice 4 is missing.",
    retryable: false,
    details: { reason: "missing-slice", slice: 4 },
  });
});

test("a bug in the worker is no DomainError, and carries its stack for the log", async () => {
  await using it = open();
  const failure = await it.worker.run(ask("throw"), watch().run).catch((error: unknown) => error);
  expect(failure).not.toBeInstanceOf(RemoteError);
  expect(failure).toMatchObject({
    message: "The worker failed: a bug",
    cause: expect.stringContaining("fake-worker.ts"),
  });
});

test("a result that cannot be sent fails its job only", async () => {
  await using it = open();
  await expect(it.worker.run(ask("unsendable"), watch().run)).rejects.toThrow(/could not be cloned/);
  await expect(it.worker.run(ask("skull"), watch().run)).resolves.toBeDefined();
});

test.each(["crash", "exit"])(
  "a worker that dies (%s) fails all its jobs as retryable, and the next job gets a new one",
  async (how) => {
    await using it = open();
    const other = it.worker.run(ask("wait"), watch().run);
    const dying = it.worker.run(ask(how), watch().run);
    for (const job of [other, dying]) {
      await expect(job).rejects.toMatchObject({ code: "model-unavailable", retryable: true });
    }
    expect(it.log.lines()).toContainEqual(expect.objectContaining({ event: "worker.died", jobs: 2 }));
    await expect(it.worker.run(ask("skull"), watch().run)).resolves.toBeDefined();
  },
);

test("a worker that cannot start fails its jobs; nothing starts over by itself", async () => {
  const log = createLogReader();
  await using worker = runInWorker({ entry: new URL("./no-such-module.ts", import.meta.url), logger: log.logger });
  await expect(worker.run(ask("skull"), watch().run)).rejects.toMatchObject({ code: "model-unavailable" });
  expect(log.lines().filter(({ event }) => event === "worker.died")).toHaveLength(1);
});

test("cancelling ends the job with its reason, and leaves the worker to the others", async () => {
  await using it = open();
  const abort = new AbortController();
  const { seen, run } = watch(abort.signal);
  const job = it.worker.run(ask("wait"), run);
  await eventually(() => expect(seen.length).toBe(1));
  abort.abort();
  await expect(job).rejects.toThrow();
  await expect(it.worker.run(ask("skull"), watch().run)).resolves.toBeDefined();
  expect(it.log.lines()).toEqual([]);
});

test("a worker that is deaf to cancelling is ended by force, and replaced", async () => {
  await using it = open({ cancelGraceMs: 100 });
  const abort = new AbortController();
  const { seen, run } = watch(abort.signal);
  const job = it.worker.run(ask("hang"), run);
  await eventually(() => expect(seen.length).toBe(1));
  abort.abort(new Error("enough"));
  await expect(job).rejects.toThrow("enough");
  await expect(it.worker.run(ask("skull"), watch().run)).resolves.toBeDefined();
});

test("hard work in the worker does not hold up this thread", async () => {
  await using it = open();
  const { seen, run } = watch();
  const job = it.worker.run(ask("busy"), run);
  await eventually(() => expect(seen.length).toBe(1));
  let longest = 0;
  let last = performance.now();
  const ticking = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  await job;
  clearInterval(ticking);
  expect(longest).toBeLessThan(500);
});

test("after disposing, nothing is taken, and nothing keeps running", async () => {
  const { worker } = open();
  const waiting = worker.run(ask("wait"), watch().run);
  await Promise.all([worker[Symbol.asyncDispose](), expect(waiting).rejects.toThrow()]);
  await expect(async () => worker.run(ask("skull"), watch().run)).rejects.toMatchObject({ code: "model-unavailable" });
});
