import { expect, test } from "vitest";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import type { Problem } from "#server/contract/index.ts";
import { ROUTING_OWNER } from "#server/routing/index.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

type Server = Awaited<ReturnType<typeof startTestServer>>;

async function end({ api }: Server, id: string) {
  for await (const _event of api.events(id));
  return api.call("readJob", { params: { id } });
}

test("failed jobs are listed and can be queued again; what succeeded cannot", async () => {
  await using server = await startTestServer();
  server.runner.failWith(new UnsupportedSeriesError("missing-slice", "Slice 4 is missing."));
  const { id } = await server.api.call("submitJob", { body: skullJob });
  expect(await end(server, id)).toMatchObject({ state: "failed", priority: "interactive", attempt: 1 });
  server.runner.failWith(undefined);
  const good = await server.api.call("submitJob", { body: { ...skullJob, prompts: ["bone"], priority: "batch" } });
  await end(server, good.id);
  expect((await server.api.call("listJobs", { query: { state: "failed" } })).jobs.map((job) => job.id)).toEqual([id]);

  const response = await server.api.send("retryJob", { params: { id } });
  expect([response.status, response.headers.get("Location")]).toEqual([202, `/v1/jobs/${id}`]);
  expect(await end(server, id)).toMatchObject({ state: "succeeded", attempt: 2 });
  const again = await server.api.send("retryJob", { params: { id } });
  expect([again.status, ((await again.json()) as Problem).code]).toEqual([409, "job-conflict"]);
  expect((await server.api.send("retryJob", { params: { id: "none" } })).status).toBe(404);
});

test("force asks anew what is being asked already", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const ids = [];
  for (const force of [false, false, true]) {
    ids.push((await server.api.call("submitJob", { body: { ...skullJob, force } })).id);
  }
  expect(new Set(ids).size).toBe(2);
  server.runner.release();
});

test("jobs of the routing rules are everybody's, in a list of their own", async () => {
  await using server = await startTestServer();
  const { id } = await server.queue.submit(
    {
      kind: "series",
      series: { studyInstanceUid: "1.2", seriesInstanceUid: "1.2.3" },
      prompts: [{ id: "p1", text: "lung" }],
      merge: "exclusive",
      outputs: ["seg"],
    },
    { owner: ROUTING_OWNER, requestId: "r", priority: "routed", ruleId: "chest-ct" },
  );
  await end(server, id);
  expect((await server.api.call("listJobs")).jobs).toEqual([]);
  const { jobs } = await server.api.call("listJobs", { query: { submittedBy: "routing" } });
  expect(jobs).toMatchObject([{ id, priority: "routed", ruleId: "chest-ct" }]);
});
