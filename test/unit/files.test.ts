import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readInput, writeOutput } from "../../server/files.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-files-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("an output is written into folders that are made for it, and leaves nothing unfinished beside it", async () => {
  const path = join(folder, "a/b/mask.nii.gz");
  await writeOutput(path, Uint8Array.of(1, 2, 3));
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect(await readdir(join(folder, "a/b"))).toEqual(["mask.nii.gz"]);
});

test("a device stays a device", async () => {
  await writeOutput("/dev/null", Uint8Array.of(1, 2, 3));
  expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
});

test("a folder as output and a file that is not there are refused in words", async () => {
  await expect(writeOutput(folder, Uint8Array.of(1))).rejects.toMatchObject({ code: "invalid-request" });
  await expect(readInput(join(folder, "absent"))).rejects.toThrow("ENOENT");
  expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
});
