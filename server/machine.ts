import { readdir, readFile, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import type { RoomCheck, WorkerDevice } from "#server/jobs/index.ts";

const NVIDIA = "/proc/driver/nvidia/gpus";

/** What this machine computes with. Graphics cards are those that NVIDIA's driver tells of. */
export async function describeDevice(executionProvider: string): Promise<WorkerDevice> {
  const cards = await readdir(NVIDIA).catch((): string[] => []);
  const told = await Promise.all(
    cards.map((card) => readFile(join(NVIDIA, card, "information"), "utf8").catch(() => "")),
  );
  return {
    executionProvider,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    gpus: executionProvider === "cpu" ? [] : told.flatMap((text) => /^Model:\s*(.+?)\s*$/m.exec(text)?.[1] ?? []),
  };
}

export interface RoomNeeded {
  /** Each of them on a disk that must keep `diskBytes` free. */
  readonly folders: readonly { readonly called: string; readonly path: string }[];
  readonly diskBytes: number;
  readonly memoryBytes: number;
}

/** Says what this machine lacks before a job is begun on it. */
export function createRoomCheck(needed: RoomNeeded): RoomCheck {
  const disk = createDiskCheck(needed);
  return async () => {
    const lack = await disk();
    if (lack !== undefined) return lack;
    const free = process.availableMemory();
    if (free >= needed.memoryBytes) return undefined;
    return `${gigabytes(free)} of memory are free, less than the ${gigabytes(needed.memoryBytes)} that a job needs (PARSE3D_MIN_FREE_MEMORY_BYTES).`;
  };
}

/** Says which disk is too full to take anything more. */
export function createDiskCheck({ folders, diskBytes }: Omit<RoomNeeded, "memoryBytes">): RoomCheck {
  return async () => {
    for (const { called, path } of folders) {
      const free = await freeBytes(path);
      if (free === undefined || free >= diskBytes) continue;
      return `${gigabytes(free)} are free on the disk of ${called}, less than the ${gigabytes(diskBytes)} that must stay free (PARSE3D_MIN_FREE_DISK_BYTES). Free some space: "parse3d cache clear" removes what can be fetched again.`;
    }
    return undefined;
  };
}

/** Undefined where the system does not tell. */
async function freeBytes(folder: string): Promise<number | undefined> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk && disk.bavail * disk.bsize;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;
}
