import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InvalidRequestError } from "#server/domain/index.ts";
import type { Row } from "./row.ts";

/**
 * Where a cohort's results lie: one small file for each series that has ended, so that work that was stopped goes on, and
 * the table is made of them. Names are keyed hashes: without the folder's own key nobody finds a patient by trying.
 */
export interface CohortFolder {
  /** A short name of an identifier. */
  nameOf(identifier: string): string;
  rows(): Promise<readonly Row[]>;
  /** In place of what there was of the series. */
  put(row: Row): Promise<void>;
  /** Whole, or not at all. @param path within the folder */
  write(path: string, content: Uint8Array | string): Promise<void>;
}

const KEY = ".key";
const QUESTION = "question.sha256";
const SERIES = "series";

/** @throws InvalidRequestError where the folder holds the results of another question */
export async function openCohortFolder(folder: string, question: string): Promise<CohortFolder> {
  await mkdir(join(folder, SERIES), { recursive: true, mode: 0o700 });
  const key = await keep(join(folder, KEY), randomBytes(32).toString("hex"));
  const asked = await keep(join(folder, QUESTION), question);
  if (asked !== question) {
    throw new InvalidRequestError(
      "The folder holds the results of other prompts, another model or another merge. Name another one with -o.",
    );
  }
  const nameOf = (identifier: string) => createHmac("sha256", key).update(identifier).digest("hex").slice(0, 12);

  async function write(path: string, content: Uint8Array | string): Promise<void> {
    const target = join(folder, path);
    const part = `${target}.${randomUUID()}.part`;
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    try {
      await writeFile(part, content, { mode: 0o600 });
      await rename(part, target);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  return {
    nameOf,
    write,
    put: (row) => write(join(SERIES, `${nameOf(row.seriesInstanceUid)}.json`), JSON.stringify(row)),
    rows: async () => {
      const names = (await readdir(join(folder, SERIES))).filter((name) => name.endsWith(".json")).sort();
      return Promise.all(
        names.map(async (name) => JSON.parse(await readFile(join(folder, SERIES, name), "utf8")) as Row),
      );
    },
  };
}

/** What the file holds; where there is none, this, for good. */
async function keep(path: string, content: string): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, content, { mode: 0o600 });
  // A link appears whole or not at all, and never over another one.
  await link(draft, path).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
  await rm(draft, { force: true });
  return readFile(path, "utf8");
}
