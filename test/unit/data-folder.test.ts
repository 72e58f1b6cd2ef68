import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigError } from "../../server/config.ts";
import { ensureDataFolder } from "../../server/data-folder.ts";
import { createDiskCheck, createRoomCheck } from "../../server/machine.ts";

async function newFolder() {
  const path = await mkdtemp(join(tmpdir(), "parse3d-data-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test("a data folder is made with the folders above it, and nothing is left in it", async () => {
  await using folder = await newFolder();
  const path = join(folder.path, "a/b/c");
  await ensureDataFolder(path);
  await ensureDataFolder(path);
  expect(await readdir(path)).toEqual([]);
});

test("a data folder below a file is refused in a sentence", async () => {
  await using folder = await newFolder();
  await writeFile(join(folder.path, "file"), "");
  for (const path of [join(folder.path, "file"), join(folder.path, "file/below")]) {
    await expect(ensureDataFolder(path)).rejects.toThrow(/PARSE3D_DATA_DIR: a part of its path is a file/);
    await expect(ensureDataFolder(path)).rejects.toBeInstanceOf(ConfigError);
  }
});

test.skipIf(!existsSync("/proc/self"))("a data folder that cannot be made is refused at once", async () => {
  await expect(ensureDataFolder("/proc/nope/below")).rejects.toThrow(/PARSE3D_DATA_DIR: it cannot be made there/);
});

test("too little room on a disk, or in memory, is said in a sentence that names the setting", async () => {
  await using folder = await newFolder();
  const folders = [{ called: "the data folder", path: folder.path }];
  expect(await createDiskCheck({ folders, diskBytes: 0 })()).toBeUndefined();
  expect(await createDiskCheck({ folders, diskBytes: Number.MAX_SAFE_INTEGER })()).toMatch(
    /disk of the data folder.*PARSE3D_MIN_FREE_DISK_BYTES/,
  );
  const memoryBytes = Number.MAX_SAFE_INTEGER;
  expect(await createRoomCheck({ folders, diskBytes: 0, memoryBytes })()).toMatch(/PARSE3D_MIN_FREE_MEMORY_BYTES/);
});

test("a folder that is gone says nothing of its disk", async () => {
  const folders = [{ called: "nowhere", path: "/nowhere/at/all" }];
  expect(await createDiskCheck({ folders, diskBytes: Number.MAX_SAFE_INTEGER })()).toBeUndefined();
});
