import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openNiftiFolder } from "../../server/nifti-folder.ts";
import { type FaultBench, jobEnd, startFaultBench } from "../fixtures/service-processes.ts";

const disk = mountSmallDisk();
if (!disk) process.stderr.write("Mounting a tmpfs is refused here: what a full disk does is not tested.\n");

describe.skipIf(!disk)("a small disk", () => {
  let bench: FaultBench;
  beforeAll(async () => {
    bench = await startFaultBench();
  });
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]();
    if (disk) unmount(disk);
  });
  const filler = join(disk ?? "", "filler");

  async function fill(leaveBytes: number) {
    const { bavail, bsize } = await statfs(disk ?? "");
    await writeFile(filler, new Uint8Array(Math.max(0, bavail * bsize - leaveBytes)));
  }

  test("that fills up has new jobs refused with a clear problem; when there is room, they are taken", async () => {
    const environment = {
      PARSE3D_DATA_DIR: join(disk ?? "", "data"),
      PARSE3D_JOBS: "memory",
      PARSE3D_MIN_FREE_DISK_BYTES: String(8 * 1024 ** 2),
    };
    await using server = await bench.serve(environment);
    const series = await bench.newSeries("full disk");
    const body = { ...series, prompts: ["bone"] };
    const first = await server.api.call("submitJob", { body });
    expect((await jobEnd(server.api, first.id)).state).toBe("succeeded");

    await fill(1024 ** 2);
    const refused = await server.api.send("submitJob", { body });
    expect(refused.status).toBe(507);
    expect(await refused.json()).toMatchObject({
      code: "storage-full",
      retryable: true,
      detail: expect.stringContaining("PARSE3D_MIN_FREE_DISK_BYTES"),
    });
    const ready = (await (await server.api.send("ready")).json()) as { checks: { disk: { ok: boolean; why: string } } };
    expect(ready.checks.disk).toMatchObject({ ok: false, why: expect.stringContaining("the data folder") });

    await rm(filler);
    const again = await server.api.call("submitJob", { body: { ...body, force: true } });
    expect((await jobEnd(server.api, again.id)).state).toBe("succeeded");
  });

  test("that is full from the start ends the start with a sentence", async () => {
    await fill(0);
    const environment = { PARSE3D_DATA_DIR: join(disk ?? "", "other") };
    const start = execute(environment);
    expect(start.status).toBe(2);
    expect(start.stderr).toMatch(/PARSE3D_DATA_DIR: its disk is full/);
    expect(start.stderr).not.toMatch(/\n\s+at /);
    await rm(filler);
  });

  test("that fills up under masks for the NIfTI folder is called full, and holds no half of a file", async () => {
    const root = join(disk ?? "", "masks");
    const folder = openNiftiFolder({ folder: root, minFreeBytes: 0 });
    const ids = { patientId: "p", studyInstanceUid: "1", seriesInstanceUid: "2", labels: [] };
    const kept = await folder.write({ ...ids, key: "a".repeat(64), nifti: new Uint8Array(1024) });
    await fill(256 * 1024);
    const refused = folder.write({ ...ids, key: "b".repeat(64), nifti: new Uint8Array(1024 ** 2) });
    await expect(refused).rejects.toMatchObject({
      code: "storage-full",
      retryable: true,
      message: expect.stringContaining("PARSE3D_NIFTI_FOLDER"),
    });
    const left = await readdir(root, { recursive: true });
    expect(left.filter((name) => name.endsWith(".nii.gz"))).toEqual([kept]);
    expect(await readdir(join(root, ".parts"))).toEqual([]);
    await rm(filler);
    expect(await folder.write({ ...ids, key: "b".repeat(64), nifti: new Uint8Array(1024 ** 2) })).not.toBe(kept);
  });
});

function execute(environment: Readonly<Record<string, string>>): { status: number; stderr: string } {
  try {
    execFileSync(join(import.meta.dirname, "../../bin/parse3d"), ["serve"], {
      env: { ...process.env, PARSE3D_PORT: "0", ...environment },
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 60_000,
    });
    return { status: 0, stderr: "" };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: Buffer };
    return { status, stderr: String(stderr) };
  }
}

/** 64 MiB of memory as a disk; undefined where this process may not mount. */
function mountSmallDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "parse3d-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m", "parse3d-test", path], { stdio: "pipe" });
    process.once("exit", () => unmount(path));
    return path;
  } catch {
    rmSync(path, { recursive: true, force: true });
    return undefined;
  }
}

function unmount(path: string): void {
  try {
    execFileSync("umount", ["-l", path], { stdio: "pipe" });
  } catch {
    // Unmounted before.
  }
  rmSync(path, { recursive: true, force: true });
}
