import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Problem, RoutingRule } from "#server/contract/index.ts";
import type { Routing } from "#server/routing/index.ts";
import { parseRulesFile, RuleNotFoundError } from "#server/routing/index.ts";
import { startTestServer } from "../fixtures/test-server.ts";

const chest = {
  id: "chest-ct",
  when: { all: [{ tag: "Modality", equals: "CT" }, { not: { tag: "SeriesDescription", matches: "scout" } }] },
  ask: { prompts: ["lung"] },
};

/** Rules in memory, with the real checks; counts what woke it. */
function createFakeRouting() {
  const rules = new Map<string, RoutingRule>();
  let woken = 0;
  const known = (id: string) => {
    const rule = rules.get(id);
    if (!rule) throw new RuleNotFoundError(id, [...rules.keys()]);
    return rule;
  };
  const routing: Routing = {
    rules: async () => [...rules.values()],
    put: async (rule) => {
      for (const checked of parseRulesFile(JSON.stringify(rule))) rules.set(checked.id, checked);
      return rule.ask.model === undefined ? [] : [`Nobody has announced ${rule.ask.model}.`];
    },
    remove: async (id) => {
      const rule = known(id);
      rules.delete(id);
      return rule;
    },
    test: async ({ rules: given = [] }) => ({
      seriesTested: 0,
      complete: true,
      rules: given.map(({ id }) => ({ id, matched: 0 })),
      series: [],
    }),
    backfill: async (id, { queue, perHour }) => ({
      rule: known(id).id,
      seriesTested: 0,
      complete: true,
      matched: 0,
      queued: queue,
      waiting: 0,
      hours: perHour,
      series: [],
    }),
    stopBackfill: async () => 0,
    wake: () => {
      woken += 1;
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { routing, woken: () => woken };
}

const token = "0123456789abcdef";
let fake: ReturnType<typeof createFakeRouting>;
let server: Awaited<ReturnType<typeof startTestServer>>;
beforeEach(async () => {
  fake = createFakeRouting();
  server = await startTestServer({ parts: { routing: fake.routing } });
  return () => server[Symbol.asyncDispose]();
});

test("a rule is added, with its defaults filled in, listed, replaced and removed", async () => {
  const added = await server.api.call("putRule", { body: chest });
  expect(added).toEqual(RoutingRule.parse(chest));
  await server.api.call("putRule", { body: { ...chest, enabled: false } });
  expect((await server.api.call("listRules")).rules).toMatchObject([{ id: "chest-ct", enabled: false }]);
  expect(await server.api.call("removeRule", { params: { id: "chest-ct" } })).toMatchObject({ id: "chest-ct" });
  expect((await server.api.call("listRules")).rules).toEqual([]);
  const again = await server.api.send("removeRule", { params: { id: "chest-ct" } });
  expect([again.status, ((await again.json()) as Problem).code]).toEqual([404, "rule-not-found"]);
});

test("what is doubtful about a rule is told as it is taken", async () => {
  const ask = { ...chest.ask, model: "of-tomorrow" };
  const taken = await server.api.call("putRule", { body: { ...chest, ask } });
  expect(taken).toMatchObject({ id: "chest-ct", warnings: ["Nobody has announced of-tomorrow."] });
  const { rules } = await server.api.call("listRules");
  expect(rules).toEqual([RoutingRule.parse({ ...chest, ask })]);
});

test.each([
  ["an unknown attribute", { ...chest, when: { tag: "Bodypart", exists: true } }, 400, "invalid-request"],
  ["a regular expression that is none", { ...chest, when: { tag: "KVP", matches: "(" } }, 400, "invalid-request"],
  ["an unknown field", { ...chest, eval: "process.exit()" }, 400, "invalid-request"],
  [
    "hours of no time zone",
    { ...chest, onlyBetween: { from: "22:00", to: "06:00", timeZone: "Mars" } },
    400,
    "invalid-request",
  ],
  ["hours that never begin", { ...chest, onlyBetween: { from: "06:00", to: "06:00" } }, 400, "invalid-request"],
  ["an address as its destination", { ...chest, destination: { dicomweb: "http://other" } }, 400, "invalid-request"],
  [
    "a NIfTI folder that leads elsewhere",
    { ...chest, ask: { prompts: ["lung"], outputs: ["nifti"], niftiSubfolder: "../elsewhere" } },
    400,
    "invalid-request",
  ],
  [
    "a NIfTI folder and no NIfTI",
    { ...chest, ask: { prompts: ["lung"], niftiSubfolder: "x" } },
    400,
    "invalid-request",
  ],
  ["a prompt that is empty", { ...chest, ask: { prompts: [""] } }, 422, "invalid-prompt"],
])("a rule with %s is refused", async (_what, body, status, code) => {
  const response = await server.api.send("putRule", { body });
  expect([response.status, ((await response.json()) as Problem).code]).toEqual([status, code]);
});

test("rules that are not there yet can be tried", async () => {
  const outcome = await server.api.call("testRules", { body: { rules: [chest], sinceDays: 7 } });
  expect(outcome.rules).toEqual([{ id: "chest-ct", matched: 0 }]);
});

test("a backfill only tells unless it is asked to queue, at a rate of 60 in an hour; a rule that is not there has none", async () => {
  await server.api.call("putRule", { body: chest });
  const params = { id: "chest-ct" };
  expect(await server.api.call("backfillRule", { params, body: {} })).toMatchObject({ queued: false, hours: 60 });
  expect(await server.api.call("backfillRule", { params, body: { queue: true } })).toMatchObject({ queued: true });
  expect((await server.api.send("backfillRule", { params: { id: "other" }, body: {} })).status).toBe(404);
  expect((await server.api.send("backfillRule", { params, body: { perHour: 0 } })).status).toBe(400);
  expect(await server.api.call("stopBackfill", { params })).toEqual({ rule: "chest-ct", removed: 0 });
});

test("the hook wakes the poller, whatever the archive says", async () => {
  const hook = await server.api.call("orthancHook", { body: { event: "StableSeries", id: "x", more: [1] } });
  expect(hook).toEqual({ woken: true });
  expect(fake.woken()).toBe(1);
});

describe("where a token is configured", () => {
  let guarded: Awaited<ReturnType<typeof startTestServer>>;
  beforeAll(async () => {
    const http = { access: { kind: "tokens", host: "127.0.0.1", tokens: [token] } } as const;
    guarded = await startTestServer({ http, parts: { routing: createFakeRouting().routing } });
  });
  afterAll(() => guarded[Symbol.asyncDispose]());

  test.each([
    "orthancHook",
    "putRule",
    "listRules",
    "testRules",
    "removeRule",
    "backfillRule",
    "stopBackfill",
  ] as const)("%s asks for it", async (name) => {
    const { status } = await guarded.api.send(name, {
      params: { id: "a" },
      ...(name !== "listRules" && { body: {} }),
    });
    expect(status).toBe(401);
  });
});

test("a server that routes nothing says how to have it route", async () => {
  await using plain = await startTestServer();
  for (const name of ["listRules", "orthancHook"] as const) {
    const response = await plain.api.send(name, name === "orthancHook" ? { body: {} } : {});
    const problem = (await response.json()) as Problem;
    expect([response.status, problem.code]).toEqual([404, "not-found"]);
    expect(problem.detail).toContain("PARSE3D_ORTHANC_URL");
  }
});
