import { createHash } from "node:crypto";
import { decodeSeg, maskOnto, openSeries } from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { type BitVolume, countBits, createBitVolume, setPlane } from "#converters/mask/index.ts";
import type { ModelCard } from "#models/index.ts";
import { InvalidRequestError } from "./errors.ts";
import type { Finding } from "./finding.ts";
import { maskOfRuns } from "./mask-runs.ts";
import type { Ports, SeriesRef } from "./ports.ts";
import type { SeriesQuestion } from "./question.ts";
import { refuseAnotherSeries } from "./refuse-another-series.ts";
import { Stopwatch } from "./stopwatch.ts";
import type { StoredObject } from "./store-results.ts";
import { type RevisedSegment, storeRevision } from "./store-revision.ts";

/** A mask as a person left it: slices that are not named are empty. */
export interface EditedMask {
  readonly promptId: string;
  readonly slices: readonly { readonly sliceIndex: number; readonly runs: readonly number[] }[];
}

export interface EditRequest extends Pick<SeriesQuestion, "volume" | "resample"> {
  readonly series: SeriesRef;
  /** The model's SEG. */
  readonly of: StoredObject;
  /** All of the job's, in the order of its prompts. */
  readonly findings: readonly Finding[];
  readonly card: Pick<ModelCard, "name" | "version" | "title" | "algorithmFamily" | "sha256">;
  readonly edited: readonly EditedMask[];
}

export interface EditResult {
  readonly seg: StoredObject;
  /** Sørensen-Dice between the model's mask and the person's, by prompt; 1 where both are empty. */
  readonly dice: Readonly<Record<string, number>>;
  /** Of the new SEG, by prompt; prompts of which nothing is left have none. */
  readonly segmentNumbers: Readonly<Record<string, number>>;
}

/** Where stored results are read back from. */
export interface StoredResults {
  fetch(stored: StoredObject, options: { readonly signal: AbortSignal }): Promise<Uint8Array>;
}

/**
 * Stores masks that a person has changed as a SEG beside the model's, and tells how far the two agree.
 * @throws InvalidRequestError where the masks do not lie on the image or all are empty; as segmentSeries does
 */
export async function editSeries(
  ports: Pick<Ports, "source" | "sink" | "now" | "newUid"> & { readonly results: StoredResults },
  { series: wanted, of, findings, card, edited, volume: volumeIndex, resample }: EditRequest,
  run: { readonly signal: AbortSignal },
): Promise<EditResult> {
  const { signal } = run;
  const series = await openSeries(ports.source.instances(wanted, { signal }), {
    signal,
    ...(volumeIndex !== undefined && { volume: volumeIndex }),
    ...(resample !== undefined && { resample }),
  });
  refuseAnotherSeries(series.header, wanted);
  const { geometry, stack } = series.volume;
  // What viewers draw on are the slices as they were sent.
  const { size } = stack?.geometry ?? geometry;
  const stored = decodeSeg(await ports.results.fetch(of, { signal }));
  const dice: Record<string, number> = {};
  const segments: RevisedSegment[] = [];
  const digest = createHash("sha256");
  for (const { prompt, segmentNumber, tracking } of findings) {
    const before =
      segmentNumber === undefined ? createBitVolume(size) : maskOnto(stored, segmentNumber, stack ?? geometry);
    const mask = maskOf(edited, prompt.id, size) ?? before;
    dice[prompt.id] = diceOf(before, mask);
    digest.update(`${prompt.id}\n`).update(mask.bits);
    if (countBits(mask.bits, 0, voxelsOf(size)) === 0) continue;
    const uid = tracking?.uid ?? ports.newUid(of.sopInstanceUid, `tracking: ${prompt.text}`);
    const changed = dice[prompt.id] === 1 ? "Not changed by the reviewer" : "Edited by a reviewer";
    segments.push({ prompt, mask, tracking: { id: tracking?.id ?? prompt.text.slice(0, 64), uid }, remark: changed });
  }
  if (segments.length === 0) {
    throw new InvalidRequestError(
      "Nothing is left of any mask: an empty segmentation is never stored. Reject instead.",
    );
  }
  const seg = await storeRevision(
    ports,
    {
      of,
      series,
      segments,
      card,
      what: "Edited by a reviewer",
      distinguishedBy: { edited: digest.digest("hex") },
      byPerson: true,
    },
    { signal, progress: () => {} },
    new Stopwatch<"encode" | "store">(),
  );
  const segmentNumbers = Object.fromEntries(segments.map(({ prompt }, n) => [prompt.id, n + 1]));
  return { seg, dice, segmentNumbers };
}

function maskOf(edited: readonly EditedMask[], promptId: string, size: Vec3): BitVolume | undefined {
  const one = edited.find((mask) => mask.promptId === promptId);
  if (!one) return undefined;
  const mask = createBitVolume(size);
  for (const { sliceIndex, runs } of one.slices) {
    if (sliceIndex >= size[2]) {
      throw new InvalidRequestError(`Slice ${sliceIndex} is not in the image, which has ${size[2]}, counted from 0.`);
    }
    setPlane(mask, 2, sliceIndex, maskOfRuns(runs, size[0] * size[1]));
  }
  return mask;
}

function diceOf(a: BitVolume, b: BitVolume): number {
  const voxels = voxelsOf(a.size);
  const both = a.bits.map((byte, n) => byte & b.bits[n]!);
  const sum = countBits(a.bits, 0, voxels) + countBits(b.bits, 0, voxels);
  return sum === 0 ? 1 : (2 * countBits(both, 0, voxels)) / sum;
}

function voxelsOf([ni, nj, nk]: Vec3): number {
  return ni * nj * nk;
}
