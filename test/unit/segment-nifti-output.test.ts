import { expect, test } from "vitest";
import { decodeSeg, segToLabelVolume } from "#converters/dicom/index.ts";
import { invert, transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import type { NiftiFile, NiftiFolder } from "#server/domain/index.ts";
import { createAsking } from "../fixtures/asking.ts";

/** Keeps what it is given. */
function fakeFolder(changes: Partial<NiftiFolder> = {}) {
  const written: NiftiFile[] = [];
  const niftiFolder: NiftiFolder = {
    check: async () => {},
    write: async (file) => {
      written.push(file);
      return "sub-1/dseg.nii.gz";
    },
    ...changes,
  };
  return { written, niftiFolder };
}

test("the file holds what the SEG of the same answer holds, voxel by voxel, with the same numbers and names", async () => {
  const { ask, stored } = await createAsking();
  const { written, niftiFolder } = fakeFolder();
  const result = await ask(["unicorn", "bright", "dark"], { outputs: ["seg", "nifti"] }, { niftiFolder });
  expect(result.nifti).toEqual({ file: "sub-1/dseg.nii.gz" });
  const [file] = written;
  const seg = segToLabelVolume(decodeSeg(stored[0]!));
  expect(file?.labels).toEqual(seg.labels);
  expect(file?.labels.map(({ name }) => name)).toEqual(["bright", "dark"]);
  const nifti = readNifti(file!.nifti, { modality: "CT" });
  const toNifti = invert(nifti.geometry.ijkToLps);
  const [ni, nj] = nifti.geometry.size;
  const { size, ijkToLps } = seg.volume.geometry;
  const counts = [0, 0, 0];
  for (const [n, value] of seg.volume.voxels.entries()) {
    const at: Vec3 = [n % size[0], Math.floor(n / size[0]) % size[1], Math.floor(n / size[0] / size[1])];
    const [i, j, k] = transformPoint(toNifti, transformPoint(ijkToLps, at)).map(Math.round) as [number, number, number];
    expect(nifti.voxels[i + ni * (j + nj * k)]).toBe(value);
    counts[value]! += 1;
  }
  // What the SEG leaves out at the ends is empty.
  expect(nifti.voxels.filter((value) => value !== 0)).toHaveLength(counts[1]! + counts[2]!);
  expect(Math.min(counts[1]!, counts[2]!)).toBeGreaterThan(0);
});

test("without a SEG the archive is left alone", async () => {
  const { ask, stored } = await createAsking();
  const { written, niftiFolder } = fakeFolder();
  const result = await ask(["bright"], { outputs: ["nifti"], niftiSubfolder: "chest" }, { niftiFolder });
  expect(stored).toEqual([]);
  expect(written).toMatchObject([{ subfolder: "chest", patientId: "SYNTHETIC" }]);
  expect(result.seg).toBeUndefined();
});

test("the same question has the same key, another one another", async () => {
  const { ask } = await createAsking();
  const { written, niftiFolder } = fakeFolder();
  for (const words of [["bright"], ["bright"], ["dark"]]) await ask(words, { outputs: ["nifti"] }, { niftiFolder });
  const [first, again, other] = written.map(({ key }) => key);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test("where nothing is found there is no file", async () => {
  const { ask } = await createAsking();
  const { written, niftiFolder } = fakeFolder();
  const result = await ask(["unicorn"], { outputs: ["nifti"] }, { niftiFolder });
  expect([written, result.nifti]).toEqual([[], undefined]);
  expect(result.notes).toContain("Nothing that was asked for was found.");
});

test("what would fail at the end fails before anything is fetched", async () => {
  const { ask, stored } = await createAsking();
  await expect(ask(["bright"], { outputs: ["seg", "nifti"] })).rejects.toThrow("PARSE3D_NIFTI_FOLDER");
  const full = new Error("full");
  const { niftiFolder } = fakeFolder({ check: () => Promise.reject(full) });
  await expect(ask(["bright"], { outputs: ["seg", "nifti"] }, { niftiFolder })).rejects.toBe(full);
  expect(stored).toEqual([]);
});
