import { readdir, readFile } from "node:fs/promises";

/** Of the figures in /proc; every Linux that Node runs on has 100. */
const TICKS_PER_SECOND = 100;

/** What a process and its children hold at one moment (Linux). */
export interface Holding {
  readonly atMs: number;
  /** Resident memory of all of them, MiB. */
  readonly memoryMiB: number;
  /** Open files and sockets of all of them. */
  readonly files: number;
  readonly processes: number;
  /** Processor time until now of the process itself, and of its children. */
  readonly ownSeconds: number;
  readonly childSeconds: number;
}

export async function holdingOf(pid: number): Promise<Holding> {
  const family = await familyOf(pid);
  const each = await Promise.all(
    family.map(async (one) => {
      const status = await readFile(`/proc/${one}/status`, "utf8").catch(() => "");
      const files = await readdir(`/proc/${one}/fd`).catch((): string[] => []);
      const [user, system] = (await statOf(one)).slice(11, 13).map(Number);
      return {
        memoryMiB: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024,
        files: files.length,
        seconds: ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND,
      };
    }),
  );
  const [own, ...children] = each;
  return {
    atMs: performance.now(),
    memoryMiB: each.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
    files: each.reduce((sum, { files }) => sum + files, 0),
    processes: family.length,
    ownSeconds: own?.seconds ?? 0,
    childSeconds: children.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

/** The least-squares slope of y over x. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const up = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return up / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

/** The lowest point of each stretch of `width`: what is held between one garbage collection and the next is not in it. */
export function floorOf(points: readonly (readonly [x: number, y: number])[], width: number) {
  const lowest = new Map<number, readonly [x: number, y: number]>();
  for (const point of points) {
    const stretch = Math.floor(point[0] / width);
    if (point[1] < (lowest.get(stretch)?.[1] ?? Number.POSITIVE_INFINITY)) lowest.set(stretch, point);
  }
  return [...lowest.values()];
}

/** The fields of /proc/PID/stat behind the program's name: state, parent, ... */
async function statOf(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** The process and all that descends from it. */
async function familyOf(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    parents.set(Number(name), Number((await statOf(Number(name)))[1]));
  }
  const family = new Set([pid]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const [child, parent] of parents) if (family.has(parent)) family.add(child);
  }
  return [...family];
}
