import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { bytesOnSlices } from "#converters/dicom/index.ts";
import type { KeptAnswer, KeptNotice, KeptPrompt } from "#server/domain/index.ts";

/** A prompt's probabilities as they lie in their file: on the series' own slices. */
export interface ProbabilityFile {
  /** Gzipped. */
  readonly path: string;
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  readonly threshold: number;
}

/**
 * Probabilities of jobs, for a while: one folder a job, under a hash of its id, with one gzipped file a prompt. They hold
 * shapes and words of prompts, and nothing else of a patient.
 */
export interface ProbabilityFiles {
  keep(jobId: string, answer: KeptAnswer): Promise<KeptNotice>;
  /** Undefined where they were never kept, or are gone. */
  read(jobId: string): Promise<KeptAnswer | undefined>;
  notice(jobId: string): Promise<KeptNotice | undefined>;
  find(jobId: string, promptId: string): Promise<ProbabilityFile | undefined>;
  /** Removes what is too old, and the oldest of what is too much. */
  sweep(): Promise<void>;
}

export interface ProbabilityLimits {
  readonly folder: string;
  /** On disk, all jobs together. */
  readonly maxBytes: number;
  readonly keepMs: number;
  readonly now?: () => Date;
}

/** What is written beside the values. */
interface Index extends Omit<KeptAnswer, "prompts"> {
  readonly until: string;
  readonly prompts: readonly Omit<KeptPrompt, "values">[];
}

const INDEX = "answer.json";
const packed = promisify(gzip);
const unpacked = promisify(gunzip);

export function openProbabilityFiles({
  folder,
  maxBytes,
  keepMs,
  now = () => new Date(),
}: ProbabilityLimits): ProbabilityFiles {
  const folderOf = (jobId: string) =>
    join(folder, createHash("sha256").update(`probabilities of ${jobId}`).digest("hex").slice(0, 32));

  async function indexOf(jobFolder: string): Promise<Index | undefined> {
    try {
      const index = JSON.parse(await readFile(join(jobFolder, INDEX), "utf8")) as Index;
      return now().toISOString() < index.until ? index : undefined;
    } catch {
      return undefined;
    }
  }

  async function sweep(): Promise<void> {
    const names = await readdir(folder).catch((): string[] => []);
    const found = await Promise.all(
      names.map(async (name) => {
        const path = join(folder, name);
        return { path, bytes: await bytesIn(path), index: await indexOf(path), madeAt: await madeAt(path) };
      }),
    );
    let bytes = 0;
    for (const { path, index, madeAt: at, ...one } of found.sort((a, b) => b.madeAt - a.madeAt)) {
      bytes += one.bytes;
      // One that is being written has no index yet.
      const gone = index === undefined && now().getTime() - at > WRITING_MS;
      if (gone || bytes > maxBytes) await rm(path, { recursive: true, force: true });
    }
  }

  return {
    sweep,

    keep: async (jobId, { prompts, ...answer }) => {
      const target = folderOf(jobId);
      const work = `${target}.${randomUUID()}`;
      const until = new Date(now().getTime() + keepMs).toISOString();
      try {
        await mkdir(work, { recursive: true, mode: 0o700 });
        for (const { prompt, values } of prompts) {
          await writeFile(join(work, fileOf(prompt.id)), await packed(values, { level: 1 }), { mode: 0o600 });
          if (!answer.shownOn) continue;
          const shown = bytesOnSlices(values, answer.size, answer.shownOn);
          await writeFile(join(work, shownFileOf(prompt.id)), await packed(shown, { level: 1 }), { mode: 0o600 });
        }
        const index: Index = {
          ...answer,
          until,
          prompts: prompts.map(({ values: _values, ...prompt }) => prompt),
        };
        await writeFile(join(work, INDEX), JSON.stringify(index), { mode: 0o600 });
        await rm(target, { recursive: true, force: true });
        await rename(work, target);
      } catch (error) {
        await rm(work, { recursive: true, force: true });
        throw error;
      }
      await sweep();
      return noticeOf({ ...answer, until, prompts });
    },

    read: async (jobId) => {
      const jobFolder = folderOf(jobId);
      const index = await indexOf(jobFolder);
      if (!index) return undefined;
      const { until: _until, prompts, ...answer } = index;
      const voxels = answer.size[0] * answer.size[1] * answer.size[2];
      const read: KeptPrompt[] = [];
      for (const prompt of prompts) {
        const values = await unpacked(await readFile(join(jobFolder, fileOf(prompt.prompt.id))));
        if (values.length !== voxels) throw new Error("a file of probabilities is not whole");
        read.push({ ...prompt, values: new Uint8Array(values.buffer, values.byteOffset, values.length) });
      }
      return { ...answer, prompts: read };
    },

    notice: async (jobId) => {
      const index = await indexOf(folderOf(jobId));
      return index && noticeOf(index);
    },

    find: async (jobId, promptId) => {
      const jobFolder = folderOf(jobId);
      const index = await indexOf(jobFolder);
      if (!index?.prompts.some(({ prompt }) => prompt.id === promptId)) return undefined;
      const { size, shownOn, threshold } = index;
      const [columns, rows, slices] = shownOn?.geometry.size ?? size;
      const file = shownOn ? shownFileOf(promptId) : fileOf(promptId);
      return { path: join(jobFolder, file), columns, rows, slices, threshold };
    },
  };
}

const WRITING_MS = 3_600_000;

function fileOf(promptId: string): string {
  return `${promptId}.gz`;
}

/** On the slices that viewers show. */
function shownFileOf(promptId: string): string {
  return `${promptId}.shown.gz`;
}

function noticeOf({ prompts, threshold, until }: Pick<Index, "prompts" | "threshold" | "until">): KeptNotice {
  return { prompts: prompts.map(({ prompt }) => prompt.id), threshold, until };
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch((): string[] => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function madeAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}
