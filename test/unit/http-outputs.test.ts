import { expect, test } from "vitest";
import { RoutingRule } from "#server/contract/index.ts";
import type { JobResult } from "#server/jobs/index.ts";
import { seriesJobRequest } from "#server/jobs/index.ts";
import { parseRulesFile } from "#server/routing/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

const everything = {
  outputs: ["sc", "sr", "seg"],
  segmentationType: "fractional",
  volume: 2,
  resample: true,
  threshold: 0.3,
  presenceThreshold: 0,
  minimumVolumeMm3: 12.5,
} as const;

test("what is asked beside the prompts reaches the work, outputs in one order, and is shown again", async () => {
  await using server = await startTestServer();
  const { request } = await server.api.call("submitJob", { body: { ...skullJob, ...everything } });
  const wanted = { ...everything, outputs: ["seg", "sr", "sc"] };
  expect(request).toMatchObject(wanted);
  await eventually(() => expect(server.runner.begun).toHaveLength(1));
  expect(server.runner.begun[0]).toMatchObject({ kind: "series", ...wanted });
});

test("what is the default is not in the request: the same question as without it is the same job", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const defaults = { outputs: ["seg"], segmentationType: "binary", resample: false, minimumVolumeMm3: 0 } as const;
  const plain = await server.api.call("submitJob", { body: skullJob });
  expect((await server.api.call("submitJob", { body: { ...skullJob, ...defaults } })).id).toBe(plain.id);
  expect(server.runner.begun[0]).toEqual({
    kind: "series",
    series: { studyInstanceUid: "1.2.840.1", seriesInstanceUid: "1.2.840.1.1" },
    prompts: [{ id: "p1", text: "skull" }],
    merge: "exclusive",
    outputs: ["seg"],
  });
  const asked = async (outputs: ("seg" | "sr")[]) =>
    (await server.api.call("submitJob", { body: { ...skullJob, outputs } })).id;
  expect(await asked(["sr", "seg"])).toBe(await asked(["seg", "sr"]));
  expect(await asked(["seg", "sr"])).not.toBe(plain.id);
});

test.each([
  ["no output", { outputs: [] }],
  ["an output twice", { outputs: ["seg", "seg"] }],
  ["an output that there is not", { outputs: ["stl"] }],
  ["a threshold above 1", { threshold: 1.01 }],
  ["a negative volume", { minimumVolumeMm3: -1 }],
  ["a volume between two", { volume: 0.5 }],
  ["a label map of masks that overlap", { segmentationType: "labelmap", merge: "overlapping" }],
])("%s is refused", async (_, more) => {
  await using server = await startTestServer();
  const response = await server.api.send("submitJob", { body: { ...skullJob, ...more } as typeof skullJob });
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, "invalid-request"]);
});

const answering = {
  name: "fake",
  version: "1",
  title: "Fake",
  trained: false,
  licence: "CC-BY-NC-SA-4.0",
  nonCommercial: true,
  intendedUse: "Research only, not for diagnosis.",
  computedOn: "the CPU",
};

test("every stored object is told by its UIDs, and a component by what was measured", async () => {
  const object = (n: number) => ({
    sopClassUid: "1.2.3",
    sopInstanceUid: `2.25.${n}`,
    seriesInstanceUid: `2.25.1${n}`,
    studyInstanceUid: "1.2.840.1",
  });
  const result: JobResult = {
    seg: object(1),
    sr: object(2),
    rtstruct: object(3),
    sc: object(4),
    model: answering,
    notes: [],
    seconds: {},
  };
  await using server = await startTestServer({ queue: { runner: async () => result } });
  const { id } = await server.api.call("submitJob", { body: skullJob });
  for await (const _event of server.api.events(id));
  const told = await server.api.call("readJob", { params: { id } });
  const uids = (n: number) => ({
    studyInstanceUid: "1.2.840.1",
    seriesInstanceUid: `2.25.1${n}`,
    sopInstanceUid: `2.25.${n}`,
  });
  // Also under which licence, for what, and by which device it was answered.
  expect(told.result?.model).toEqual(answering);
  expect(told.result).toMatchObject({ seg: uids(1), sr: uids(2), rtstruct: uids(3), sc: uids(4) });

  await using other = await startTestServer();
  const { id: found } = await other.api.call("submitJob", { body: skullJob });
  for await (const _event of other.api.events(found));
  const [component] = (await other.api.call("readJob", { params: { id: found } })).findings[0]!.components;
  expect(component).toMatchObject({
    boxIjk: { min: [1, 2, 3], max: [11, 12, 5] },
    longestDiameterMm: 14,
    meanValue: 40,
    valueUnit: "HU",
  });
});

test("a NIfTI is asked about with thresholds too; a form's fields are text", async () => {
  await using server = await startTestServer();
  const form = new FormData();
  for (const [name, value] of Object.entries({
    prompts: "skull",
    modality: "CT",
    threshold: "0.25",
    presenceThreshold: "0.75",
    minimumVolumeMm3: "3",
  })) {
    form.append(name, value);
  }
  form.append("file", new Blob([new Uint8Array(10)]), "scan.nii");
  expect((await server.api.send("segmentNifti", { form })).status).toBe(200);
  expect(server.runner.begun[0]).toMatchObject({ threshold: 0.25, presenceThreshold: 0.75, minimumVolumeMm3: 3 });
});

test("a rule asks like a request", () => {
  const rule = RoutingRule.parse({
    id: "chest",
    when: { tag: "Modality", equals: "CT" },
    ask: { prompts: ["skull"], ...everything },
  });
  const series = { studyInstanceUid: "1.2", seriesInstanceUid: "1.3" };
  expect(seriesJobRequest(series, rule.ask)).toMatchObject({ series, ...everything, outputs: ["seg", "sr", "sc"] });
  const contradictory = { ...rule, ask: { ...rule.ask, segmentationType: "labelmap", merge: "overlapping" } };
  expect(() => parseRulesFile(JSON.stringify({ rules: [contradictory] }))).toThrow("A label map holds one segment");
});
