import { chmod, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NiftiFile } from "#server/domain/index.ts";
import { openNiftiFolder } from "../../server/nifti-folder.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "parse3d-nifti-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const masks: NiftiFile = {
  patientId: "DOE-1970",
  studyInstanceUid: "1.2.3",
  seriesInstanceUid: "1.2.3.4",
  key: "0123456789abcdef".repeat(4),
  nifti: new Uint8Array([1, 2, 3]),
  labels: [
    { value: 1, name: "left\tlung" },
    { value: 2, name: "heart" },
  ],
};

async function filesIn(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.flatMap((one) => (one.isFile() ? join(one.parentPath, one.name).slice(folder.length + 1) : [])).sort();
}

test("masks and their table lie under hashed names, in the folder or in one within it", async () => {
  const folder = openNiftiFolder({ folder: join(root, "masks"), minFreeBytes: 0 });
  const file = await folder.write(masks);
  const name = /^(sub-[0-9a-f]{12})\/(ses-[0-9a-f]{12})\/\1_\2_acq-[0-9a-f]{12}_desc-0123456789ab_dseg\.nii\.gz$/;
  expect(file).toMatch(name);
  const below = await folder.write({ ...masks, subfolder: "chest" });
  expect(below).toBe(`chest/${file}`);
  expect(await readFile(join(root, "masks", file))).toEqual(Buffer.from(masks.nifti));
  const table = await readFile(join(root, "masks", file.replace(".nii.gz", ".tsv")), "utf8");
  expect(table).toBe("index\tname\n1\tleft lung\n2\theart\n");
  const all = await filesIn(join(root, "masks"));
  expect(all).toHaveLength(5);
  expect(all.join()).not.toMatch(/DOE|1970|1\.2\.3/);
});

test("the same job is the same file, from any process; another question about the series is another one", async () => {
  const [one, other] = [1, 2].map(() => openNiftiFolder({ folder: root, minFreeBytes: 0 }));
  const [first, second] = await Promise.all([
    one?.write(masks),
    other?.write({ ...masks, nifti: new Uint8Array([4]) }),
  ]);
  expect(second).toBe(first);
  const third = await one?.write({ ...masks, key: "f".repeat(64) });
  expect(third).not.toBe(first);
  const all = await filesIn(root);
  expect(all.filter((name) => name.endsWith(".nii.gz"))).toEqual([first, third].toSorted());
  // Nothing is left of the way there.
  expect(all).toHaveLength(5);
});

test("its group may read what is written, and nobody else; the key of the names is the server's alone", async () => {
  const file = await openNiftiFolder({ folder: root, minFreeBytes: 0 }).write(masks);
  const mode = async (path: string) => (await stat(join(root, path))).mode & 0o777;
  expect(await mode(file)).toBe(0o640 & ~process.umask());
  expect(await mode(".key")).toBe(0o600);
});

test("what a killed process left half-written goes an hour later, and what another writes now stays", async () => {
  const parts = join(root, ".parts");
  await openNiftiFolder({ folder: root, minFreeBytes: 0 }).check();
  await writeFile(join(parts, "abandoned"), "half");
  await utimes(join(parts, "abandoned"), new Date(), new Date(Date.now() - 2 * 3_600_000));
  await writeFile(join(parts, "in-work"), "half");
  await openNiftiFolder({ folder: root, minFreeBytes: 0 }).check();
  expect(await readdir(parts)).toEqual(["in-work"]);
});

test("a full disk is called so before work is done, and can be retried", async () => {
  const folder = openNiftiFolder({ folder: root, minFreeBytes: Number.MAX_SAFE_INTEGER });
  await expect(folder.check()).rejects.toMatchObject({
    code: "storage-full",
    retryable: true,
    message: expect.stringMatching(/PARSE3D_NIFTI_FOLDER.*PARSE3D_MIN_FREE_DISK_BYTES/),
  });
});

test("a folder that cannot be used says so by its setting, and is used as soon as it can be", async () => {
  const path = join(root, "share");
  await writeFile(path, "a file");
  const folder = openNiftiFolder({ folder: path, minFreeBytes: 0 });
  const refusal = { code: "store-rejected", retryable: true, message: expect.stringContaining("PARSE3D_NIFTI_FOLDER") };
  await expect(folder.check()).rejects.toMatchObject(refusal);
  await expect(folder.write(masks)).rejects.toMatchObject(refusal);
  await rm(path);
  expect(await folder.write(masks)).toMatch(/^sub-/);
  if (process.getuid?.() === 0) return;
  await chmod(path, 0o500);
  await expect(folder.check()).rejects.toMatchObject(refusal);
  await chmod(path, 0o700);
});
