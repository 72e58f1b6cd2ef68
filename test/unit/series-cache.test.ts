import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSeriesCache, type SeriesCache, withSeriesCache } from "#server/cache/index.ts";
import type { SeriesSource } from "#server/domain/index.ts";
import { collect } from "../fixtures/collect.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

const { signal } = new AbortController();
const day = 86_400_000;

async function newFolder() {
  const path = await mkdtemp(join(tmpdir(), "parse3d-cache-"));
  return { path: join(path, "series"), [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function openCache(folder: string, more: Partial<Parameters<typeof openSeriesCache>[0]> = {}): SeriesCache {
  return openSeriesCache({ folder, maxBytes: 1e9, keepMs: day, minFreeBytes: 0, ...more });
}

/** An archive with one series, which counts what it gives. */
function archiveOf(slices: number, seed: string) {
  const ct = syntheticCt(slices, 16, seed);
  const files = [...ct.instances()];
  let given = 0;
  const source: SeriesSource = {
    describe: async () => ({ modality: "CT", instanceCount: files.length }),
    async *instances() {
      for (const file of files) {
        given++;
        yield file;
      }
    },
  };
  return { ct, files, source, given: () => given, listed: [...ct.sopInstanceUids] };
}

function cached(archive: ReturnType<typeof archiveOf>, cache: SeriesCache, log = createLogReader()) {
  const instancesOf = async () => archive.listed;
  return withSeriesCache({ source: archive.source, cache, logger: log.logger, instancesOf });
}

async function fetchAll(source: SeriesSource, archive: ReturnType<typeof archiveOf>): Promise<Uint8Array[]> {
  return collect(source.instances(archive.ct.series, { signal }));
}

test("what was fetched once comes from the disk the second time, byte for byte, and nothing is asked of the archive", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(5, "a");
  const log = createLogReader();
  const source = cached(archive, openCache(folder.path), log);
  expect(await fetchAll(source, archive)).toEqual(archive.files);
  expect(archive.given()).toBe(5);
  const again = await fetchAll(source, archive);
  expect(again.map((bytes) => Buffer.compare(bytes, archive.files[again.indexOf(bytes)]!))).toEqual([0, 0, 0, 0, 0]);
  expect(archive.given()).toBe(5);
  expect(await openCache(folder.path).contents()).toMatchObject({ series: 1 });
});

test("names on disk tell nothing of the series, and files are their owner's alone", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(2, "a");
  await fetchAll(cached(archive, openCache(folder.path)), archive);
  const [name = ""] = await readdir(folder.path);
  expect(name).toMatch(/^[0-9a-f]{64}\.series$/);
  const { mode } = await import("node:fs/promises").then(({ stat }) => stat(join(folder.path, name)));
  expect(mode & 0o077).toBe(0);
});

test("a late instance makes another set: it is fetched", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(4, "a");
  const source = cached(archive, openCache(folder.path));
  await fetchAll(source, archive);
  archive.listed.push("1.2.3.4.5");
  await fetchAll(source, archive);
  expect(archive.given()).toBe(8);
});

test("a series of which not all came, or whose reader stopped early, is not kept", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(4, "a");
  archive.listed.push("1.2.3.4.5");
  const source = cached(archive, openCache(folder.path));
  await fetchAll(source, archive);
  archive.listed.pop();
  for await (const _instance of source.instances(archive.ct.series, { signal })) break;
  expect(await readdir(folder.path)).toEqual([]);
});

test.each([
  ["cut short", async (path: string) => truncate(path, 3000)],
  ["emptied", async (path: string) => truncate(path, 0)],
  ["rubbish", async (path: string) => writeFile(path, "rubbish")],
  [
    "changed in its last instance",
    async (path: string) => {
      const bytes = await readFile(path);
      bytes[bytes.length - 50]! ^= 1;
      await writeFile(path, bytes);
    },
  ],
])("a file that is %s is seen, removed, and what is missing is fetched", async (_, damage) => {
  await using folder = await newFolder();
  const archive = archiveOf(6, "a");
  const source = cached(archive, openCache(folder.path));
  await fetchAll(source, archive);
  const [name = ""] = await readdir(folder.path);
  await damage(join(folder.path, name));
  const again = await fetchAll(source, archive);
  expect(again.map((bytes) => Buffer.from(bytes).toString("base64")).sort()).toEqual(
    archive.files.map((bytes) => Buffer.from(bytes).toString("base64")).sort(),
  );
  const before = archive.given();
  await fetchAll(source, archive);
  expect(archive.given()).toBe(before);
});

test("the least recently used goes first when there is too much", async () => {
  await using folder = await newFolder();
  const archives = ["a", "b", "c"].map((seed) => archiveOf(5, seed));
  const size = archives[0]!.files.reduce((sum, { length }) => sum + length + 36, 24);
  const cache = openCache(folder.path, { maxBytes: 2.5 * size });
  for (const [n, archive] of archives.slice(0, 2).entries()) {
    await fetchAll(cached(archive, cache), archive);
    for (const name of await readdir(folder.path)) {
      // Both in the past, one after the other.
      if (n === 0) await utimes(join(folder.path, name), 1000, 1000);
    }
  }
  await fetchAll(cached(archives[0]!, cache), archives[0]!);
  expect(archives[0]!.given()).toBe(5);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await fetchAll(cached(archives[2]!, cache), archives[2]!);
  for (const archive of archives) await fetchAll(cached(archive, openCache(folder.path)), archive);
  expect(archives.map(({ given }) => given())).toEqual([5, 10, 5]);
});

test("what is too old is not used, however often it was, and is removed", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(3, "a");
  let now = new Date("2026-01-01T00:00:00Z");
  const cache = openCache(folder.path, { now: () => now });
  await fetchAll(cached(archive, cache), archive);
  now = new Date(now.getTime() + day + 1);
  await fetchAll(cached(archive, cache), archive);
  expect(archive.given()).toBe(6);
  now = new Date(now.getTime() + day + 1);
  await cache.sweep();
  expect(await readdir(folder.path)).toEqual([]);
});

test("a cache that cannot be written to costs nothing but the fetch; so does one without room", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(3, "a");
  await writeFile(folder.path, "a file where the folder should be");
  expect(await fetchAll(cached(archive, openCache(folder.path)), archive)).toHaveLength(3);
  await rm(folder.path);
  const full = openCache(folder.path, { minFreeBytes: Number.MAX_SAFE_INTEGER });
  expect(await fetchAll(cached(archive, full), archive)).toHaveLength(3);
  const small = openCache(folder.path, { maxBytes: 1000 });
  expect(await fetchAll(cached(archive, small), archive)).toHaveLength(3);
  expect(await readdir(folder.path)).toEqual([]);
});

test("two processes that fetch the same at once leave one whole file, and no part", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(5, "a");
  const [a, b] = [cached(archive, openCache(folder.path)), cached(archive, openCache(folder.path))];
  await Promise.all([fetchAll(a, archive), fetchAll(b, archive)]);
  expect(await readdir(folder.path)).toHaveLength(1);
  const before = archive.given();
  expect(await fetchAll(a, archive)).toHaveLength(5);
  expect(archive.given()).toBe(before);
});

test("clearing removes all of it, parts that somebody left too", async () => {
  await using folder = await newFolder();
  const archive = archiveOf(2, "a");
  const cache = openCache(folder.path);
  await fetchAll(cached(archive, cache), archive);
  await writeFile(join(folder.path, "left.part"), "x");
  expect(await cache.clear()).toMatchObject({ series: 1 });
  expect(await readdir(folder.path)).toEqual([]);
  expect(await cache.contents()).toEqual({ series: 0, bytes: 0 });
});
