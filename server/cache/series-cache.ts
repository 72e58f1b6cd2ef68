import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs, utimes } from "node:fs/promises";
import { join } from "node:path";
import { DamagedSeriesFileError, readMadeAt, readSeriesFile, SeriesFileWriter } from "./series-file.ts";

export interface CacheLimits {
  readonly folder: string;
  /** All files together; 0: nothing is kept. */
  readonly maxBytes: number;
  /** Nothing is kept longer, however often it is used. */
  readonly keepMs: number;
  /** Nothing more is written where less would be free on the disk. */
  readonly minFreeBytes: number;
  readonly now?: () => Date;
}

export interface CacheContents {
  readonly series: number;
  readonly bytes: number;
  readonly oldest?: Date;
}

/** One series on its way into the cache. */
export interface CacheEntry {
  add(instance: Uint8Array): Promise<void>;
  /** Puts it in place of what was there. */
  commit(): Promise<void>;
  /** Nothing of it stays. */
  discard(): Promise<void>;
}

/**
 * Instances that were fetched, for a while: one file an instance set, least recently used first to go. Several processes
 * may use one folder: files come into place whole, and one that is being read may be removed.
 */
export interface SeriesCache {
  /** The instances of a set; undefined where they are not there. @throws DamagedSeriesFileError */
  read(key: string): Promise<AsyncGenerator<Uint8Array> | undefined>;
  /** Undefined where there is no room. */
  begin(key: string): Promise<CacheEntry | undefined>;
  remove(key: string): Promise<void>;
  /** Removes what is too old or too much, and what dead processes left half-written. */
  sweep(): Promise<void>;
  contents(): Promise<CacheContents>;
  /** @returns what there was */
  clear(): Promise<CacheContents>;
}

const SUFFIX = ".series";
const PART = ".part";
/** Older ones were left by a process that died. */
const ABANDONED_MS = 6 * 3_600_000;

interface Held {
  readonly path: string;
  readonly bytes: number;
  readonly usedAt: number;
  readonly madeAt: Date | undefined;
}

/** @param limits.folder made when first written to, for its owner alone */
export function openSeriesCache({
  folder,
  maxBytes,
  keepMs,
  minFreeBytes,
  now = () => new Date(),
}: CacheLimits): SeriesCache {
  const pathOf = (key: string) => join(folder, `${key}${SUFFIX}`);
  const tooOld = (madeAt: Date | undefined) => madeAt === undefined || now().getTime() - madeAt.getTime() > keepMs;

  async function held(): Promise<readonly Held[]> {
    const names = await readdir(folder).catch((): string[] => []);
    const found = await Promise.all(
      names.filter((name) => name.endsWith(SUFFIX)).map((name) => describe(join(folder, name))),
    );
    return found.flatMap((one) => one ?? []);
  }

  async function removeParts(olderThanMs: number): Promise<void> {
    for (const name of await readdir(folder).catch((): string[] => [])) {
      if (!name.endsWith(PART)) continue;
      const path = join(folder, name);
      const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? {};
      if (mtimeMs !== undefined && Date.now() - mtimeMs >= olderThanMs) await rm(path, { force: true });
    }
  }

  async function sweep(): Promise<void> {
    await removeParts(ABANDONED_MS);
    let bytes = 0;
    for (const one of [...(await held())].sort((a, b) => b.usedAt - a.usedAt)) {
      bytes += one.bytes;
      if (!tooOld(one.madeAt) && bytes <= maxBytes) continue;
      bytes -= one.bytes;
      await rm(one.path, { force: true });
    }
  }

  async function contents(): Promise<CacheContents> {
    const all = await held();
    const [oldest] = all.flatMap(({ madeAt }) => madeAt ?? []).sort((a, b) => a.getTime() - b.getTime());
    return { series: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0), ...(oldest && { oldest }) };
  }

  return {
    sweep,
    contents,

    read: async (key) => {
      const file = await open(pathOf(key)).catch(() => undefined);
      if (!file) return undefined;
      if (tooOld(await madeAtOf(file))) {
        await file.close();
        await rm(pathOf(key), { force: true });
        return undefined;
      }
      const used = now();
      await utimes(pathOf(key), used, used).catch(() => {});
      return readAndClose(file);
    },

    begin: async (key) => {
      if (maxBytes === 0) return undefined;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const disk = await statfs(folder);
      if (disk.bavail * disk.bsize < minFreeBytes) return undefined;
      const part = join(folder, `${key}.${randomUUID()}${PART}`);
      const writer = await SeriesFileWriter.create(part, now());
      let bytes = 0;
      return {
        add: async (instance) => {
          bytes += instance.length;
          if (bytes > maxBytes) throw new Error("the series is larger than the cache");
          await writer.add(instance);
        },
        commit: async () => {
          await writer.finish();
          await rename(part, pathOf(key));
          await sweep();
        },
        discard: async () => {
          await writer.abandon();
          await rm(part, { force: true });
        },
      };
    },

    remove: (key) => rm(pathOf(key), { force: true }),

    clear: async () => {
      const before = await contents();
      for (const { path } of await held()) await rm(path, { force: true });
      await removeParts(0);
      return before;
    },
  };
}

async function* readAndClose(file: FileHandle): AsyncGenerator<Uint8Array> {
  try {
    yield* readSeriesFile(file);
  } finally {
    await file.close();
  }
}

async function describe(path: string): Promise<Held | undefined> {
  const file = await open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size, mtimeMs } = await file.stat();
    return { path, bytes: size, usedAt: mtimeMs, madeAt: await madeAtOf(file) };
  } finally {
    await file.close();
  }
}

/** Undefined for a file that is none of ours: too old to be of use. */
async function madeAtOf(file: FileHandle): Promise<Date | undefined> {
  try {
    return await readMadeAt(file);
  } catch (error) {
    if (error instanceof DamagedSeriesFileError) return undefined;
    throw error;
  }
}
