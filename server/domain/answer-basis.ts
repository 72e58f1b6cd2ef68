import { createHash } from "node:crypto";
import { edition } from "./job-key.ts";

/** What an answer follows from, besides its question: as long as none of it changes, asking again gives the same. */
export interface AnswerBasis {
  /** Names the instances of the series that were read; see `nameOfInstances`. */
  readonly instances: string;
  /** Of the series: with the prompts it decides which model is chosen. */
  readonly modality: string;
  readonly model: { readonly name: string; readonly sha256: string };
  /** How results are made; see `presentEdition`. */
  readonly edition: number;
}

/** Another number as soon as the same question comes out as another result of this program. */
export const presentEdition = edition;

/** A name that tells nothing of the series, and is another one as soon as an instance comes or goes. */
export function nameOfInstances(sopInstanceUids: Iterable<string>): string {
  const listed = JSON.stringify(["instances", ...[...sopInstanceUids].sort()]);
  return createHash("sha256").update(listed).digest("hex");
}
