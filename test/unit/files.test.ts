import { existsSync } from "node:fs";
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dicomFilesIn } from "../../server/dicom-folder.ts";
import {
  makeOutputFolder,
  readInput,
  refuseSameFile,
  refuseUnwritable,
  writeOutput,
  writeOutputFile,
} from "../../server/files.ts";
import { collect } from "../fixtures/collect.ts";

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

test.each([
  ["below a file", "file/mask.nii", "ENOTDIR"],
  ["at a folder", "taken", "EISDIR"],
])("an output %s is refused in words, before work is done for it as well", async (_, name, reason) => {
  await writeFile(join(folder, "file"), "");
  await mkdir(join(folder, "taken"), { recursive: true });
  const path = join(folder, name);
  await expect(refuseUnwritable(path)).rejects.toThrow(`The output cannot be written: ${reason}`);
  for (const write of [
    () => writeOutput(path, Uint8Array.of(1)),
    () => writeOutputFile(path, async (put) => put(Uint8Array.of(1), 0)),
  ]) {
    await expect(write()).rejects.toMatchObject({ code: "invalid-request" });
  }
  expect((await readdir(folder)).filter((left) => left.endsWith(".part"))).toEqual([]);
});

test("whether an output can be written is asked without making anything", async () => {
  await refuseUnwritable(join(folder, "not/there/yet/mask.nii"));
  await refuseUnwritable("mask.nii");
  // A device is written to as it is, whoever may write beside it.
  await refuseUnwritable("/dev/null");
  await expect(stat(join(folder, "not"))).rejects.toThrow("ENOENT");
});

// Node's own way to make folders never comes back here.
test.runIf(existsSync("/proc/self"))("a folder that nobody can make is refused, and not tried for ever", async () => {
  await expect(writeOutput("/proc/x/y/mask.nii", Uint8Array.of(1))).rejects.toThrow("The output cannot be written");
  await expect(makeOutputFolder("/proc/x/y")).rejects.toThrow("Name another one with -o");
});

test("a result may not take the place of what it is made from, by whatever name", async () => {
  const [input, other] = [join(folder, "in.nii"), join(folder, "other.nii")];
  await writeFile(input, "scan");
  await writeFile(other, "scan");
  await link(input, join(folder, "linked.nii"));
  await symlink(input, join(folder, "symbolic.nii"));
  for (const name of ["in.nii", "linked.nii", "symbolic.nii"]) {
    await expect(refuseSameFile(input, join(folder, name))).rejects.toThrow("The output would replace the input");
  }
  await refuseSameFile(input, other);
  await refuseSameFile(input, join(folder, "not-there.nii"));
});

test("a file where a folder is to be is refused in words, before any work", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(makeOutputFolder(join(folder, "file"))).rejects.toThrow("Name another one with -o");
  await makeOutputFolder(join(folder, "new/folder"));
  await makeOutputFolder(join(folder, "new/folder"));
});

test("a device that takes nothing more is named in words", async () => {
  await expect(writeOutput("/dev/full", Uint8Array.of(1))).rejects.toThrow("ENOSPC");
});

test.each(["empty", "cut short", "without its mark"])(
  "a file that is called DICOM and is %s is not left out in silence",
  async (how) => {
    const series = await mkdtemp(join(folder, "series-"));
    const good = new Uint8Array(200);
    good.set(new TextEncoder().encode("DICM"), 128);
    await writeFile(join(series, "1.dcm"), good);
    await writeFile(join(series, "notes.txt"), "not a slice");
    expect(await collect(dicomFilesIn(series))).toHaveLength(1);
    const bad = {
      empty: new Uint8Array(),
      "cut short": good.subarray(0, 100),
      "without its mark": new Uint8Array(200),
    }[how];
    await writeFile(join(series, "2.dcm"), bad!);
    await expect(collect(dicomFilesIn(series))).rejects.toThrow("2.dcm cannot be read");
  },
);
