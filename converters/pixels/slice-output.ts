import { type PlaneSize, upsampleAntialiased } from "./bicubic.ts";
import { type NearestRule, planeToPicture } from "./nearest.ts";
import { probabilityGrey } from "./probability-grey.ts";
import {
  gateByExistence,
  logitAbove,
  type MaskThresholds,
  mergeExclusive,
  probabilityOf,
  type SlicePrompts,
  suppressOverlapping,
} from "./suppress.ts";

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
 * away. The function that comes back takes [prompts, logitSize, logitSize] and [prompts] logits and keeps its buffers
 * (imageSize squared floats for each prompt) for the next plane.
 */
export function sliceOutput(options: SliceOutputOptions): SliceOutput {
  const { plane, imageSize, logitSize, prompts, merge, thresholds } = options;
  const source = planeToPicture(plane, imageSize, options.nearest);
  const pictures = Array.from({ length: prompts }, () => new Float32Array(imageSize * imageSize));
  const exclusive = merge === "exclusive" && prompts > 1;
  const labels = new Uint16Array(exclusive ? imageSize * imageSize : 0);
  const best = new Float32Array(labels.length);
  const cut = logitAbove(thresholds.mask);

  return (maskLogits, existenceLogits) => {
    const existence = Array.from(existenceLogits, probabilityOf);
    for (const [prompt, picture] of pictures.entries()) {
      if (!options.probabilities && existence[prompt]! < thresholds.existence) continue;
      const logits = maskLogits.subarray(prompt * logitSize ** 2, (prompt + 1) * logitSize ** 2);
      upsampleAntialiased(logits, [logitSize, logitSize], [imageSize, imageSize], picture);
    }
    const slice: SlicePrompts = { logits: pictures, existence };
    const keep = exclusive ? suppressOverlapping(slice, thresholds) : gateByExistence(slice, thresholds);
    if (exclusive) mergeExclusive(slice, keep, thresholds, labels, best);
    const masks = exclusive ? masksOf(labels, source, prompts) : pictures.map((logits, p) => keep[p] && above(logits));
    return pictures.map((picture, prompt) => {
      const mask = masks[prompt];
      const probability = options.probabilities && probabilityGrey(picture, source);
      return { existence: existence[prompt]!, ...(mask && { mask }), ...(probability && { probability }) };
    });
  };

  function above(logits: Float32Array): Uint8Array | undefined {
    const mask = new Uint8Array(source.length);
    let count = 0;
    for (let p = 0; p < source.length; p++) {
      if (logits[source[p]!]! > cut) {
        mask[p] = 1;
        count++;
      }
    }
    return count > 0 ? mask : undefined;
  }
}

/** One mask for each label that occurs on the plane. */
function masksOf(labels: Uint16Array, source: Int32Array, prompts: number): (Uint8Array | undefined)[] {
  const masks = new Array<Uint8Array | undefined>(prompts).fill(undefined);
  for (let p = 0; p < source.length; p++) {
    const label = labels[source[p]!]!;
    if (label === 0) continue;
    const mask = masks[label - 1] ?? new Uint8Array(source.length);
    masks[label - 1] = mask;
    mask[p] = 1;
  }
  return masks;
}
