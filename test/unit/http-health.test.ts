import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { ReadyView } from "#server/contract/index.ts";
import { PacsUnavailableError } from "#server/domain/index.ts";
import { densityCard, skullJob, startTestServer } from "../fixtures/test-server.ts";

async function readiness(url: string) {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, ...ReadyView.parse(await response.json()) };
}

test("alive is alive, whatever else is broken", async () => {
  await using server = await startTestServer({ parts: { checks: { pacs: () => Promise.reject(new Error()) } } });
  expect(await server.api.call("health")).toEqual({ status: "alive", version: "1.2.3" });
});

test("ready says what there is, part by part", async () => {
  await using server = await startTestServer({ parts: { checks: { pacs: async () => undefined } } });
  expect(await readiness(server.url)).toEqual({
    status: 200,
    ready: true,
    checks: {
      pacs: { ok: true },
      models: { ok: true, why: "density-ct" },
      queue: { ok: true, why: "0 running, 0 waiting" },
    },
  });
});

test("what is not ready is named with its reason, and the status is 503", async () => {
  const pacs = () => Promise.reject(new PacsUnavailableError("The archive refuses connections. Is it running?"));
  await using server = await startTestServer({ parts: { models: () => [], checks: { pacs } }, queue: { backlog: 0 } });
  expect(await readiness(server.url)).toEqual({
    status: 503,
    ready: false,
    checks: {
      pacs: { ok: false, why: "The archive refuses connections. Is it running?" },
      models: { ok: false, why: "no model is installed; see: parse3d models" },
      queue: { ok: false, why: "takes no more jobs: 0 running, 0 waiting" },
    },
  });
});

test("a part that does not answer in time is not ready; an unforeseen failure is not quoted", async () => {
  const checks = {
    slow: () => sleep(60_000, undefined, { ref: false }),
    broken: () => Promise.reject(new Error("password=hunter2")),
  };
  await using server = await startTestServer({ parts: { timeoutMs: 50, checks } });
  expect((await readiness(server.url)).checks).toMatchObject({
    slow: { ok: false, why: "gave no answer in time" },
    broken: { ok: false, why: "failed in a way that was not foreseen" },
  });
});

test("models and vocabulary tell what can be asked; the vocabulary joins what several models know", async () => {
  const brain = {
    ...densityCard,
    name: "brain-t1",
    modalities: ["MR"],
    vocabulary: "closed" as const,
    targets: [
      { name: "thalamus", synonyms: [], sided: true as const },
      { name: "bone", synonyms: ["os"] },
    ],
  };
  await using server = await startTestServer({ parts: { models: () => [densityCard, brain] } });
  expect((await server.api.call("listModels")).models).toEqual([densityCard, brain]);
  expect(await server.api.call("readVocabulary", { query: { modality: "MR" } })).toEqual({
    modality: "MR",
    open: false,
    targets: [
      { name: "thalamus", synonyms: [], sided: true, models: ["brain-t1"] },
      { name: "bone", synonyms: ["os"], models: ["brain-t1"] },
    ],
  });
  const all = await server.api.call("readVocabulary");
  expect(all.open).toBe(true);
  expect(all.targets[0]).toEqual({
    name: "bone",
    synonyms: ["skull", "os"],
    code: { value: "272673000", scheme: "SCT", meaning: "Bone" },
    models: ["density-ct", "brain-t1"],
  });
  expect((await server.api.call("readVocabulary", { query: { modality: "US" } })).targets).toEqual([]);
});

test("the vocabulary holds the sentences of models that are asked in sentences", async () => {
  const spleen = { name: "spleen", synonyms: [] };
  const asked = { ...densityCard, name: "asked", phrasing: "sentence" as const };
  const models = () => [
    { ...densityCard, targets: [spleen] },
    { ...asked, targets: [{ ...spleen, phrases: { MR: "spleen in abdomen MRI" } }] },
  ];
  await using server = await startTestServer({ parts: { models } });
  expect((await server.api.call("listModels")).models).toEqual(models());
  expect((await server.api.call("readVocabulary")).targets).toEqual([
    { ...spleen, phrases: { MR: "spleen in abdomen MRI" }, models: ["density-ct", "asked"] },
  ]);
});

test("metrics count requests by route and jobs by state, code and stage, and hold no UID or prompt", async () => {
  await using server = await startTestServer();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  for await (const _event of server.api.events(id));
  server.runner.failWith(new PacsUnavailableError("The archive is down."));
  const failed = await server.api.call("submitJob", { body: { ...skullJob, prompts: ["liver"] } });
  for await (const _event of server.api.events(failed.id));
  const response = await fetch(`${server.url}/metrics`);
  expect(response.headers.get("Content-Type")).toContain("text/plain");
  const text = await response.text();
  expect(text).toContain('parse3d_jobs_total{kind="series",state="succeeded",code=""} 1');
  expect(text).toContain('parse3d_jobs_total{kind="series",state="failed",code="pacs-unavailable"} 1');
  expect(text).toContain('parse3d_job_stage_seconds_sum{stage="infer"} 0.3');
  expect(text).toContain('parse3d_jobs{state="queued"} 0');
  expect(text).toMatch(/parse3d_http_request_seconds_count\{route="submitJob",method="POST",status="202"\} 2/);
  for (const secret of [id, "1.2.840", "skull", "liver"]) expect(text).not.toContain(secret);
});
