import { type DecodedSeg, decodeSeg, maskOnto, openSeg } from "#converters/dicom/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import {
  InvalidRequestError,
  ModelNotFoundError,
  type Ports,
  type Provenance,
  readProvenance,
  segmentSeries,
} from "#server/domain/index.ts";
import { watchedPorts } from "./watched-ports.ts";

export interface Replay {
  readonly model: { readonly name: string; readonly version: string };
  /** Whether its files are those that the SEG was made with; absent where the SEG does not say. */
  readonly sameModel?: boolean;
  /** Whether the series still is the one that the SEG was made from. */
  readonly sameInstances: boolean;
  /** Dice of each segment's mask against that of the new run: 1 where they are the same voxels. */
  readonly segments: readonly { readonly label: string; readonly dice: number; readonly voxels: number }[];
  readonly notes: readonly string[];
}

const PROMPT = "Prompt: ";
const segmentationTypes = { BINARY: "binary", FRACTIONAL: "fractional", LABELMAP: "labelmap" } as const;

/**
 * Runs again what a SEG of this program was made by, with the options that it holds, and compares. Nothing is stored.
 * @param part10 the SEG
 * @throws InvalidRequestError where it is none of ours, or a revision; ModelNotFoundError where its model is not here; as
 * segmentSeries
 */
export async function replaySeg(
  ports: Ports,
  part10: Uint8Array,
  run: Parameters<typeof segmentSeries>[2],
): Promise<Replay> {
  const before = await openSeg(part10);
  const { series, asked, options, notes } = questionOf(before);
  const card = await modelOf(ports, before, options);
  const { ports: watched, seen } = watchedPorts(ports, { keeps: false });
  const { model, modelSha256, notFound, ...asBefore } = options ?? {};
  const again = await segmentSeries(
    watched,
    {
      merge: overlaps(before) ? "overlapping" : "exclusive",
      ...asBefore,
      series,
      prompts: [...asked, ...(notFound ?? [])].map((text, n) => ({ id: `p${n + 1}`, text })),
      model: card.name,
      segmentationType: segmentationTypes[before.type],
    },
    run,
  );
  const onto = seen.stack ?? seen.geometry;
  if (!onto) throw new Error("the model was not asked");
  const after = seen.stored[0] && decodeSeg(seen.stored[0]);
  return {
    model: { name: card.name, version: card.version },
    ...(modelSha256 !== undefined && { sameModel: modelSha256 === card.sha256 }),
    sameInstances: seen.instances === new Set(before.referencedSopInstanceUids).size,
    segments: before.segments.map(({ number, label, description }) => {
      const other = after?.segments.find((segment) => segment.description === description);
      return { label, ...compare(before, number, after, other?.number, onto) };
    }),
    notes: [...notes, ...again.notes],
  };
}

/** What the SEG says of the question that it answers. */
function questionOf({ referencedSeriesInstanceUid, studyInstanceUid, segments, revisionOf }: DecodedSeg) {
  if (revisionOf !== undefined) {
    throw new InvalidRequestError(
      `This SEG was made of another one, by hand or with another threshold. Replay that one: ${revisionOf}`,
    );
  }
  const texts = segments.map(({ description }) => promptOf(description));
  const asked = [...new Set(texts.flatMap((text) => text ?? []))];
  if (referencedSeriesInstanceUid === undefined || texts.includes(undefined) || asked.length === 0) {
    throw new InvalidRequestError("This SEG does not say which prompts it was made by: it is not of Parse3D.");
  }
  const options = readProvenance(segments[0]?.algorithmParameters);
  return {
    series: { studyInstanceUid, seriesInstanceUid: referencedSeriesInstanceUid },
    asked,
    options,
    notes: [
      ...(options ? [] : ["This SEG does not hold the options that it was made with: the usual ones were taken."]),
      ...(options && !options.notFound
        ? ["The prompts that were not found are not in the SEG, and were left out."]
        : []),
    ],
  };
}

function promptOf(description: string | undefined): string | undefined {
  return description?.startsWith(PROMPT) ? description.slice(PROMPT.length).split("\n")[0] : undefined;
}

/** The model by its name; in older SEGs by its title. */
async function modelOf(ports: Ports, { segments }: DecodedSeg, options: Provenance | undefined) {
  const [title = ""] = segments.flatMap(({ algorithmName }) => algorithmName ?? []);
  const cards = await ports.models.cards();
  const card = options
    ? cards.find(({ name }) => name === options.model)
    : cards.find((one) => title !== "" && (one.title === title || one.title.startsWith(title.slice(0, 60))));
  if (card) return card;
  throw new ModelNotFoundError(
    `The model that made this SEG is not installed here. Installed: ${cards.map((one) => one.name).join(", ") || "none"}.`,
  );
}

/** Whether a pixel of one slice belongs to two segments. */
function overlaps(seg: DecodedSeg): boolean {
  if (seg.type !== "BINARY") return false;
  const taken = new Map<string, Uint8Array>();
  for (const [index, { positionLps }] of seg.frames.entries()) {
    const place = positionLps.join(" ");
    const pixels = seg.framePixels(index);
    const before = taken.get(place);
    if (!before) {
      taken.set(place, pixels.slice());
      continue;
    }
    for (let p = 0; p < pixels.length; p++) {
      if (pixels[p] && before[p]) return true;
      if (pixels[p]) before[p] = 1;
    }
  }
  return false;
}

function compare(
  before: DecodedSeg,
  number: number,
  after: DecodedSeg | undefined,
  again: number | undefined,
  onto: Parameters<typeof maskOnto>[2],
) {
  const one = maskOnto(before, number, onto);
  const other = after && again !== undefined ? maskOnto(after, again, onto) : undefined;
  let [ofOne, ofOther, ofBoth] = [0, 0, 0];
  for (let k = 0; k < one.size[2]; k++) {
    const a = readSlice(one, k);
    const b = other && readSlice(other, k);
    for (let p = 0; p < a.length; p++) {
      if (a[p]) ofOne++;
      if (b?.[p]) ofOther++;
      if (a[p] && b?.[p]) ofBoth++;
    }
  }
  return { dice: ofOne + ofOther === 0 ? 1 : (2 * ofBoth) / (ofOne + ofOther), voxels: ofOne };
}
