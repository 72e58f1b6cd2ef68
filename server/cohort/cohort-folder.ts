import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidRequestError } from "#server/domain/index.ts";
import { type HashedFolder, keepFile, openHashedFolder } from "../hashed-folder.ts";
import type { Row } from "./row.ts";

/**
 * Where a cohort's results lie: one small file for each series that has ended, so that work that was stopped goes on, and
 * the table is made of them.
 */
export interface CohortFolder extends HashedFolder {
  rows(): Promise<readonly Row[]>;
  /** In place of what there was of the series. */
  put(row: Row): Promise<void>;
}

const QUESTION = "question.sha256";
const SERIES = "series";

/** @throws InvalidRequestError where the folder holds the results of another question */
export async function openCohortFolder(folder: string, question: string): Promise<CohortFolder> {
  const hashed = await openHashedFolder(folder);
  await mkdir(join(folder, SERIES), { recursive: true, mode: 0o700 });
  const asked = await keepFile(join(folder, QUESTION), question);
  if (asked !== question) {
    throw new InvalidRequestError(
      "The folder holds the results of other prompts, another model or another merge. Name another one with -o.",
    );
  }
  return {
    ...hashed,
    put: (row) => hashed.write(join(SERIES, `${hashed.nameOf(row.seriesInstanceUid)}.json`), JSON.stringify(row)),
    rows: async () => {
      const names = (await readdir(join(folder, SERIES))).filter((name) => name.endsWith(".json")).sort();
      return Promise.all(
        names.map(async (name) => JSON.parse(await readFile(join(folder, SERIES, name), "utf8")) as Row),
      );
    },
  };
}
