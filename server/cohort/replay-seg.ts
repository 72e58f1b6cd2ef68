import { type DecodedSeg, decodeSeg, maskOnto, openSeg } from "#converters/dicom/index.ts";
import type { VolumeGeometry } from "#converters/geometry/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import {
  InvalidRequestError,
  ModelNotFoundError,
  type Ports,
  promptsFrom,
  segmentSeries,
} from "#server/domain/index.ts";
import { watchedPorts } from "./watched-ports.ts";

export interface Replay {
  readonly model: { readonly name: string; readonly version: string };
  /** Whether the series still is the one that the SEG was made from. */
  readonly sameInstances: boolean;
  /** Dice of each segment's mask against that of the new run: 1 where they are the same voxels. */
  readonly segments: readonly { readonly label: string; readonly dice: number; readonly voxels: number }[];
  readonly notes: readonly string[];
}

const PROMPT = "Prompt: ";

/**
 * Runs again what a SEG of this program was made by, as far as it says so itself, and compares. Nothing is stored.
 * @param part10 the SEG
 * @throws InvalidRequestError where it is none of ours; ModelNotFoundError where its model is not here; as segmentSeries
 */
export async function replaySeg(
  ports: Ports,
  part10: Uint8Array,
  run: Parameters<typeof segmentSeries>[2],
): Promise<Replay> {
  const before = await openSeg(part10);
  const { referencedSeriesInstanceUid: seriesInstanceUid, studyInstanceUid } = before;
  const texts = before.segments.map(({ description }) => promptOf(description));
  const asked = texts.flatMap((text) => text ?? []);
  if (seriesInstanceUid === undefined || asked.length < texts.length || asked.length === 0) {
    throw new InvalidRequestError("This SEG does not say which prompts it was made by: it is not of Parse3D.");
  }
  const card = await modelOf(ports, before);
  const { ports: watched, seen } = watchedPorts(ports, { keeps: false });
  const { notes } = await segmentSeries(
    watched,
    {
      series: { studyInstanceUid, seriesInstanceUid },
      prompts: promptsFrom([...new Set(asked)].map((text) => ({ text }))),
      model: card.name,
      merge: overlaps(before) ? "overlapping" : "exclusive",
      ...(before.type === "LABELMAP" && { segmentationType: "labelmap" as const }),
    },
    run,
  );
  const { geometry } = seen;
  if (!geometry) throw new Error("the model was not asked");
  const after = seen.stored[0] && decodeSeg(seen.stored[0]);
  return {
    model: { name: card.name, version: card.version },
    sameInstances: seen.instances === new Set(before.referencedSopInstanceUids).size,
    segments: before.segments.map(({ number, label, description }) => {
      const again = after?.segments.find((segment) => segment.description === description);
      return { label, ...compare(before, number, after, again?.number, geometry) };
    }),
    notes,
  };
}

function promptOf(description: string | undefined): string | undefined {
  return description?.startsWith(PROMPT) ? description.slice(PROMPT.length).split("\n")[0] : undefined;
}

async function modelOf(ports: Ports, { segments }: DecodedSeg) {
  const [name = ""] = segments.flatMap(({ algorithmName }) => algorithmName ?? []);
  const cards = await ports.models.cards();
  const card = cards.find(({ title }) => title === name || title.startsWith(name.slice(0, 60)));
  if (name !== "" && card) return card;
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
  geometry: VolumeGeometry,
) {
  const one = maskOnto(before, number, geometry);
  const other = after && again !== undefined ? maskOnto(after, again, geometry) : undefined;
  let [ofOne, ofOther, ofBoth] = [0, 0, 0];
  for (let k = 0; k < geometry.size[2]; k++) {
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
