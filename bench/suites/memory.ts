import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import { compare, type Report, type Suite } from "../figure.ts";
import { TELLING_NODE_OPTIONS, toldPeakMiB } from "../peak-memory.ts";

const SLICES = 1000;
const SIDE = 512;
const VOXELS_MIB = (SIDE * SIDE * SLICES * 2) / 2 ** 20;
const ROUNDS = 2;
const PARSE3D = join(import.meta.dirname, "../../bin/parse3d");

export const programs: Suite["programs"] = {};

/** The peak memory of `parse3d convert` for a CT of 1000 slices, beside what its voxels take. */
export async function run(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  try {
    report.note(`writing ${SLICES} slices of ${SIDE}x${SIDE} ...`);
    const series = join(folder, "series");
    await promisify(execFile)("mkdir", [series]);
    let k = 0;
    for (const bytes of syntheticCt(SLICES, SIDE, "memory").instances()) {
      await writeFile(join(series, `${String(k++).padStart(4, "0")}.dcm`), bytes);
    }
    for (const name of ["volume.nii", "volume.nii.gz"]) {
      report.note(`${name} ...`);
      const peaks: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const { stderr } = await promisify(execFile)(PARSE3D, ["convert", series, "-o", join(folder, name)], {
          env: { PATH: process.env.PATH, NODE_OPTIONS: TELLING_NODE_OPTIONS },
        });
        peaks.push(toldPeakMiB(stderr));
      }
      const voxels = { name: "the voxels", samples: [VOXELS_MIB] };
      report.figure(compare(`${SLICES} slices to ${name}`, "peak MiB", peaks, voxels));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
