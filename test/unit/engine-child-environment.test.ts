import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InstalledBundle, openModelStore } from "#models/index.ts";
import { openGraphProcess } from "#server/engines/index.ts";
import { childEnvironment } from "../../server/engines/child-environment.ts";

let folder: string;
let bundle: InstalledBundle;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-quiet-"));
  bundle = (await openModelStore(join(folder, "models")).ensureBuiltIn()).densityCt as InstalledBundle;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a process that runs onnxruntime leaves no reports in the folder of temporary files, however it was started", async () => {
  const temporary = await mkdtemp(join(folder, "tmp-"));
  vi.stubEnv("TMPDIR", temporary);
  vi.stubEnv("ORT_DISABLE_TELEMETRY", undefined);
  const { manifest } = bundle;
  const ids = BigInt64Array.from(manifest.golden.inputIds[0] ?? [], BigInt);
  await using graphs = openGraphProcess();
  const padded = new BigInt64Array(manifest.contextLength);
  padded.set(ids);
  await graphs.run(join(bundle.folder, manifest.files.textEncoder.name), {
    input_ids: { dtype: "int64", dims: [1, padded.length], data: padded },
  });
  vi.unstubAllEnvs();
  expect(await readdir(temporary)).toEqual([]);
});

test("what a server gives itself for its memory's sake is not handed on, what a user set is", async () => {
  const start = await readFile(join(import.meta.dirname, "../../bin/parse3d"), "utf8");
  const [, ofServers = ""] = /GLIBC_TUNABLES:=([^}]+)\}/.exec(start) ?? [];
  const threshold = ofServers.split(":").find((setting) => setting.includes("mmap_threshold"));
  vi.stubEnv("GLIBC_TUNABLES", ofServers);
  vi.stubEnv("NODE_OPTIONS", "--max-semi-space-size=4 --max-old-space-size=900");
  const { GLIBC_TUNABLES, NODE_OPTIONS } = childEnvironment();
  vi.unstubAllEnvs();
  expect(NODE_OPTIONS).toBe("--max-old-space-size=900");
  expect(GLIBC_TUNABLES).toMatch(/:glibc\.malloc\.hugetlb=1$/);
  expect(threshold).toBeDefined();
  expect(GLIBC_TUNABLES?.split(":")).not.toContain(threshold);
});

test("a network's process keeps the memory that it will ask for again, unless a user says otherwise", () => {
  const own = "glibc.malloc.trim_threshold=1048576";
  vi.stubEnv("GLIBC_TUNABLES", own);
  const { GLIBC_TUNABLES = "" } = childEnvironment();
  vi.unstubAllEnvs();
  const thresholds = GLIBC_TUNABLES.split(":").filter((setting) => setting.includes("trim_threshold"));
  expect(thresholds).toHaveLength(2);
  expect(thresholds.at(-1)).toBe(own);
});
