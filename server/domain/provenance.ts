import { z } from "zod";
import type { ModelCard } from "#models/index.ts";
import type { MergeMode } from "./ports.ts";
import { mergeOf, optionsOfKey, type SeriesQuestion } from "./question.ts";

const Written = z.object({
  model: z.string(),
  modelSha256: z.string(),
  merge: z.enum(["exclusive", "overlapping"]),
  threshold: z.number().optional(),
  presenceThreshold: z.number().optional(),
  minimumVolumeMm3: z.number().optional(),
  draws: z.int().optional(),
  instances: z.boolean().optional(),
  volume: z.int().optional(),
  resample: z.boolean().optional(),
  notFound: z.array(z.string()).optional(),
});

/** What a SEG keeps of the question that it answers, beside its prompts: enough to ask it again. */
export interface Provenance
  extends Pick<
    SeriesQuestion,
    "threshold" | "presenceThreshold" | "minimumVolumeMm3" | "draws" | "instances" | "volume" | "resample"
  > {
  readonly model: string;
  readonly modelSha256: string;
  readonly merge: MergeMode;
  /** Words that were asked for and not found: they may have taken voxels from others. Absent where there was no room. */
  readonly notFound?: readonly string[];
}

type ProvenanceCard = Pick<ModelCard, "name" | "sha256" | "licence" | "nonCommercial" | "intendedUse" | "phrasing">;

/** LT holds 10,240 characters (PS3.5 section 6.2); each segment has its own copy. */
const longestNotFound = 4000;

/** For Algorithm Parameters (0066,0032), as JSON: the question, and what the model may be used for, which goes with its results. */
export function writeProvenance(
  question: SeriesQuestion,
  { name, sha256, licence, nonCommercial, intendedUse, phrasing }: ProvenanceCard,
  notFound: readonly string[],
): string {
  const fits = JSON.stringify(notFound).length <= longestNotFound;
  return JSON.stringify({
    model: name,
    modelSha256: sha256,
    licence,
    nonCommercial,
    intendedUse,
    ...(phrasing !== undefined && { phrasing }),
    ...optionsOfKey(question),
    merge: mergeOf(question),
    ...(fits && { notFound }),
  });
}

/** Undefined where it is another program's, or none. */
export function readProvenance(text: string | undefined): Provenance | undefined {
  try {
    return text === undefined ? undefined : (Written.safeParse(JSON.parse(text)).data as Provenance | undefined);
  } catch {
    return undefined;
  }
}
