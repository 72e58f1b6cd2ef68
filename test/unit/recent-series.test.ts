import { beforeEach, expect, test } from "vitest";
import { deterministicUid, keepRecentSeries, type Ports, promptsFrom, segmentSeries } from "#server/domain/index.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { createMemoryArchive } from "../fixtures/memory-archive.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const ct = syntheticCt(9, 24);
const other = syntheticCt(9, 24, "other");
const limits = { maxBytes: 1e6, keepMs: 60_000 };
let fetched: number;
let revision: string;
let ports: Ports;

beforeEach(async () => {
  const archive = createMemoryArchive();
  for (const series of [ct, other]) {
    for (const instance of series.instances())
      await archive.sink.store(instance, { signal: AbortSignal.timeout(1000) });
  }
  fetched = 0;
  revision = "one";
  const { source, sink } = archive;
  ports = {
    source: {
      ...source,
      async *instances(series, options) {
        for await (const instance of source.instances(series, options)) {
          fetched++;
          yield instance;
        }
      },
      revision: async () => revision,
    },
    sink,
    models: registryOf(createFakeModel()),
    recent: keepRecentSeries(limits),
    now: () => new Date("2026-03-04T05:06:07Z"),
    newUid: deterministicUid,
  };
});

async function ask(text: string, { series } = ct) {
  const run = { signal: AbortSignal.timeout(20_000), progress: () => {}, note: () => {}, finding: () => {} };
  return segmentSeries(ports, { series, prompts: promptsFrom([{ text }]) }, run);
}

test("a second question about a series fetches and decodes nothing, and is answered as it would be alone", async () => {
  await ask("bright ball");
  expect(fetched).toBe(9);
  const second = await ask("dark");
  expect(fetched).toBe(9);
  ports = { ...ports, recent: keepRecentSeries(limits) };
  const alone = await ask("dark");
  expect(fetched).toBe(18);
  expect(second.findings).toEqual(alone.findings);
});

test("an instance that came or went meanwhile, or another series, is fetched anew", async () => {
  await ask("bright ball");
  revision = "two";
  await ask("dark");
  expect(fetched).toBe(18);
  await ask("dark", other);
  await ask("dark");
  expect(fetched).toBe(36);
});

test("what is larger than the limit is not kept, nor where the archive cannot say what it holds", async () => {
  ports = { ...ports, recent: keepRecentSeries({ ...limits, maxBytes: 24 * 24 * 9 * 2 - 1 }) };
  await ask("bright ball");
  await ask("dark");
  expect(fetched).toBe(18);
  const { describe, instances } = ports.source;
  ports = { ...ports, source: { describe, instances }, recent: keepRecentSeries(limits) };
  await ask("bright ball");
  await ask("dark");
  expect(fetched).toBe(36);
});
