import { expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

const { prompts: _none, ...series } = skullJob;

test("a recognition needs no prompt, stores nothing unasked, and judges each thing by itself", async () => {
  await using server = await startTestServer();
  const { request } = await server.api.call("submitJob", { body: { ...series, recognise: true } });
  expect(request).toMatchObject({ recognise: true, prompts: [], outputs: ["detections"], merge: "overlapping" });
  await eventually(() => expect(server.runner.begun).toHaveLength(1));
  expect(server.runner.begun[0]).toMatchObject({ recognise: true, outputs: ["detections"], merge: "overlapping" });
  const stored = await server.api.call("submitJob", { body: { ...series, recognise: true, outputs: ["seg"] } });
  expect(stored.request).toMatchObject({ outputs: ["seg"] });
});

test("anything else needs one", async () => {
  await using server = await startTestServer();
  const response = await server.api.send("submitJob", { body: series as typeof skullJob });
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([422, "invalid-prompt"]);
});

test("draws, instances, the first slice and what to anticipate reach the work; defaults are left out", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const asked = { draws: 4, instances: true, fromSlice: 0, anticipate: 0 } as const;
  const { request } = await server.api.call("submitJob", { body: { ...skullJob, ...asked } });
  expect(request).toMatchObject(asked);
  await eventually(() => expect(server.runner.begun).toHaveLength(1));
  expect(server.runner.begun[0]).toMatchObject(asked);
  const plain = await server.api.call("submitJob", { body: skullJob });
  const defaults = { draws: 1, instances: false, recognise: false } as const;
  expect((await server.api.call("submitJob", { body: { ...skullJob, ...defaults } })).id).toBe(plain.id);
});

test("of an uploaded file too, as words of a form", async () => {
  await using server = await startTestServer();
  const form = new FormData();
  for (const [name, value] of Object.entries({ modality: "CT", recognise: "true", draws: "2", fromSlice: "5" }))
    form.append(name, value);
  form.append("file", new Blob([new Uint8Array(64)]), "scan.nii.gz");
  const response = await server.api.send("segmentNifti", { form });
  expect(response.status).toBe(200);
  expect(server.runner.begun[0]).toMatchObject({ recognise: true, draws: 2, fromSlice: 5, prompts: [] });
});

test.each([
  ["no draw", { draws: 0 }],
  ["seventeen draws", { draws: 17 }],
  ["a slice before the first", { fromSlice: -1 }],
  ["too much to anticipate", { anticipate: 65 }],
])("%s is refused", async (_, more) => {
  await using server = await startTestServer();
  const response = await server.api.send("submitJob", { body: { ...skullJob, ...more } });
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "invalid-request"]);
});
