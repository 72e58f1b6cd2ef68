import {
  checkSeg,
  codesForPrompt,
  type DecodedSeries,
  encodeSeg,
  type MaskSlices,
  type SegInput,
} from "#converters/dicom/index.ts";
import type { BitVolume } from "#converters/mask/index.ts";
import type { ModelCard } from "#models/index.ts";
import { jobKey } from "./job-key.ts";
import type { Ports, Run } from "./ports.ts";
import type { Prompt } from "./prompt.ts";
import type { Stopwatch } from "./stopwatch.ts";
import type { StoredObject } from "./store-results.ts";
import { storedPlaces } from "./stored-masks.ts";

export interface RevisedSegment {
  readonly prompt: Prompt;
  /** As it is stored: see storedPlaces. */
  readonly mask: BitVolume | MaskSlices;
  /** That of the segment that was revised: it is the same object. */
  readonly tracking: { readonly id: string; readonly uid: string };
  /** Behind the prompt, in the segment's description. */
  readonly remark?: string;
}

export interface Revision {
  /** The SEG that was revised. */
  readonly of: StoredObject;
  /** Of the image; its voxels are not needed. */
  readonly series: Pick<DecodedSeries, "header" | "lossyCompression"> & {
    readonly volume: Pick<DecodedSeries["volume"], "geometry" | "sources" | "stack">;
  };
  /** Each with at least one voxel. */
  readonly segments: readonly RevisedSegment[];
  readonly card: Pick<ModelCard, "name" | "version" | "title" | "algorithmFamily" | "sha256">;
  /** What was done, in plain words, and all that tells this revision from others of the same SEG. */
  readonly what: string;
  readonly distinguishedBy: Readonly<Record<string, unknown>>;
  readonly byPerson: boolean;
  /** How the masks came to be on the slices; see SegInput. */
  readonly derivation?: string;
}

/** A new SEG that says which one it was made of, read back before it leaves. The same revision has the same UIDs. */
export async function storeRevision(
  { sink, now, newUid }: Pick<Ports, "sink" | "now" | "newUid">,
  { of, series, segments, card, what, distinguishedBy, byPerson, derivation }: Revision,
  run: Pick<Run, "signal" | "progress">,
  watch: Pick<Stopwatch<"encode" | "store">, "time">,
): Promise<StoredObject> {
  const { header, volume, lossyCompression } = series;
  const key = jobKey({
    sopInstanceUids: [of.sopInstanceUid],
    modelSha256: card.sha256,
    prompts: segments.map(({ prompt }) => prompt),
    options: distinguishedBy,
  });
  const input: SegInput = {
    header,
    ...storedPlaces(volume),
    ...(derivation !== undefined && { derivation }),
    ...(lossyCompression && { lossyCompression }),
    segments: segments.map(({ prompt, mask, tracking, remark }) => ({
      label: prompt.text.slice(0, 64),
      description: [`Prompt: ${prompt.text}`, remark].filter(Boolean).join(". "),
      codes: codesForPrompt(prompt.text, prompt.code),
      tracking,
      mask,
    })),
    seriesDescription: seriesDescription(segments, what),
    algorithm: { name: card.title, version: card.version, family: card.algorithmFamily },
    revision: { of, what, byPerson },
    at: now(),
    uids: {
      series: newUid(key, "series"),
      instance: newUid(key, "instance"),
      dimensionOrganization: newUid(key, "dimension organization"),
    },
  };
  const part10 = await watch.time("encode", () => {
    const bytes = encodeSeg(input);
    checkSeg(bytes, input);
    return bytes;
  });
  run.signal.throwIfAborted();
  run.progress("store", 0);
  const stored = await watch.time("store", () => sink.store(part10, { signal: run.signal }));
  return { ...stored, studyInstanceUid: header.study.StudyInstanceUID, seriesInstanceUid: input.uids.series };
}

/** LO: 64 characters. */
function seriesDescription(segments: readonly RevisedSegment[], what: string): string {
  const found = segments.map(({ prompt }) => prompt.text).join(", ");
  const by = ` - ${what}`.slice(0, 40);
  const room = 64 - by.length;
  return `${found.length > room ? `${found.slice(0, room - 3)}...` : found}${by}`;
}
