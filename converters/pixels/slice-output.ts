import type { PlaneSize } from "./bicubic.ts";
import { type NearestRule, planeToPicture } from "./nearest.ts";
import {
  gateByExistence,
  logitAbove,
  type MaskThresholds,
  mergeExclusive,
  probabilityOf,
  type SlicePrompts,
  suppressOverlapping,
} from "./suppress.ts";
import { openUpsampler } from "./upsampler.ts";

export interface SliceOutputOptions {
  /** The plane's own size, before padding. */
  readonly plane: PlaneSize;
  /** Side of the network's pictures, and of the logits that it answers with. */
  readonly imageSize: number;
  readonly logitSize: number;
  readonly nearest: NearestRule;
  readonly prompts: number;
  /** `exclusive`: a pixel belongs to one prompt at most, as upstream; `overlapping`: each prompt by itself. */
  readonly merge: "exclusive" | "overlapping";
  readonly thresholds: MaskThresholds;
  /** Whether answers carry probabilities. */
  readonly probabilities: boolean;
}

/** What one prompt comes to in one plane. Its arrays are new with each answer and may be handed on. */
export interface PlaneAnswer {
  /** 0 to 1. */
  readonly existence: number;
  /** 0 or 1 for each pixel of the plane, width fastest; absent where empty. */
  readonly mask?: Uint8Array;
  /** round(255 p) for each pixel of the plane, before any threshold; only where asked for. */
  readonly probability?: Uint8Array;
}

/** Turns the network's answer for one plane into the prompts' masks on that plane's own pixels. */
export type SliceOutput = (maskLogits: Float32Array, existenceLogits: Float32Array) => readonly PlaneAnswer[];

/**
 * Antialiased bicubic to imageSize, thresholds, merge across prompts, nearest neighbour to the padded square, padding
 * away. The function that comes back takes [prompts, logitSize, logitSize] and [prompts] logits and keeps its buffers for the
 * next plane: of exclusive masks imageSize squared bytes for each prompt, and four times that for each whose mask another's
 * meets.
 */
export function sliceOutput(options: SliceOutputOptions): SliceOutput {
  const { plane, imageSize, logitSize, prompts, thresholds } = options;
  const pixels = imageSize * imageSize;
  const onPlane = toPlane(plane, imageSize, options.nearest);
  const upsampler = openUpsampler([logitSize, logitSize], [imageSize, imageSize]);
  const exclusive = options.merge === "exclusive" && prompts > 1;
  const masks = Array.from({ length: exclusive ? prompts : 1 }, () => new Uint8Array(pixels));
  const pictures: (Float32Array | undefined)[] = [];
  const labels = new Uint16Array(exclusive ? pixels : 0);
  const greys = new Uint8Array(options.probabilities ? pixels : 0);
  const cut = logitAbove(thresholds.mask);

  return (maskLogits, existenceLogits) => {
    const existence = Array.from(existenceLogits, probabilityOf);
    const load = (prompt: number) =>
      upsampler.load(maskLogits.subarray(prompt * logitSize ** 2, (prompt + 1) * logitSize ** 2));
    const kept = gateByExistence(existence, thresholds);
    const answers = existence.map((score, prompt): PlaneAnswer & { readonly isEmpty: boolean } => {
      const mayBeThere = exclusive ? score >= thresholds.existence : kept[prompt]!;
      if (!mayBeThere && !options.probabilities) return { existence: score, isEmpty: true };
      load(prompt);
      const mask = masks[exclusive ? prompt : 0]!;
      const isEmpty = !mayBeThere || !upsampler.above(cut, mask);
      if (options.probabilities) upsampler.greys(greys);
      return {
        existence: score,
        isEmpty,
        ...(!exclusive && !isEmpty && { mask: onPlane(mask) }),
        ...(options.probabilities && { probability: onPlane(greys) }),
      };
    });
    if (!exclusive) return answers.map(({ existence, mask, probability }) => planeAnswer(existence, mask, probability));
    const slice: SlicePrompts = {
      existence,
      masks: masks.map((mask, prompt) => (answers[prompt]!.isEmpty ? undefined : mask)),
      logits(prompt) {
        const picture = pictures[prompt] ?? new Float32Array(pixels);
        pictures[prompt] = picture;
        load(prompt);
        upsampler.picture(picture);
        return picture;
      },
    };
    const merged = mergeExclusive(slice, suppressOverlapping(slice, thresholds), labels);
    const own = masksOf(merged, onPlane, prompts);
    return answers.map(({ existence, probability }, prompt) => planeAnswer(existence, own[prompt], probability));
  };
}

function planeAnswer(existence: number, mask?: Uint8Array, probability?: Uint8Array): PlaneAnswer {
  return { existence, ...(mask?.includes(1) && { mask }), ...(probability && { probability }) };
}

/** Takes a picture's pixels to a plane; what comes back is new. */
function toPlane(plane: PlaneSize, imageSize: number, rule: NearestRule) {
  const isSame = plane[0] === imageSize && plane[1] === imageSize;
  const source = isSame ? undefined : planeToPicture(plane, imageSize, rule);
  return <T extends Uint8Array | Uint16Array>(picture: T): T => {
    if (!source) return picture.slice() as T;
    const values = new (picture.constructor as new (length: number) => T)(source.length);
    for (let p = 0; p < source.length; p++) values[p] = picture[source[p]!]!;
    return values;
  };
}

/** One mask for each label that occurs on the plane. */
function masksOf(
  labels: Uint16Array,
  onPlane: ReturnType<typeof toPlane>,
  prompts: number,
): (Uint8Array | undefined)[] {
  const masks = new Array<Uint8Array | undefined>(prompts).fill(undefined);
  const own = onPlane(labels);
  for (let p = 0; p < own.length; p++) {
    const label = own[p]!;
    if (label === 0) continue;
    const mask = masks[label - 1] ?? new Uint8Array(own.length);
    masks[label - 1] = mask;
    mask[p] = 1;
  }
  return masks;
}
