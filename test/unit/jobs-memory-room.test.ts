import { expect, test } from "vitest";
import { type JobRequest, MemoryJobQueue } from "../../server/jobs/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";

const from = { owner: "alice", requestId: "r-1" };

function ask(text: string): JobRequest {
  return {
    kind: "series",
    series: { studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.4" },
    prompts: [{ id: "p1", text }],
    merge: "exclusive",
    outputs: ["seg"],
  };
}

test("jobs in memory wait while there is no room, the queue says why, and they are done in their order when there is", async () => {
  let lack: string | undefined = "0.1 GB of memory are free.";
  const runner = createFakeRunner();
  const { logger, text } = createLogReader();
  await using queue = new MemoryJobQueue({ runner: runner.run, logger, room: async () => lack, pollMs: 20 });
  const first = await queue.submit(ask("a"), from);
  const second = await queue.submit(ask("b"), from);
  await eventually(async () => expect(await queue.workers()).toMatchObject([{ holdsBack: lack, running: 0 }]));
  expect(runner.begun).toEqual([]);
  expect((await queue.load()).queued).toBe(2);
  lack = undefined;
  await eventually(async () => {
    expect((await queue.get(first.id)).state).toBe("succeeded");
    expect((await queue.get(second.id)).state).toBe("succeeded");
  });
  expect(runner.begun).toHaveLength(2);
  const [worker] = await queue.workers();
  expect(worker).not.toHaveProperty("holdsBack");
  expect(text().match(/jobs\.held-back/g)).toHaveLength(1);
});

test("a job that waits for room can be cancelled, and a queue that is disposed meanwhile begins none", async () => {
  const runner = createFakeRunner();
  const { logger } = createLogReader();
  const queue = new MemoryJobQueue({ runner: runner.run, logger, room: async () => "full", pollMs: 10 });
  const cancelled = await queue.submit(ask("a"), from);
  expect((await queue.cancel(cancelled.id)).state).toBe("cancelled");
  const left = await queue.submit(ask("b"), from);
  await queue[Symbol.asyncDispose]();
  expect((await queue.get(left.id)).state).toBe("cancelled");
  expect(runner.begun).toEqual([]);
});
