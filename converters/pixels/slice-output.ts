import type { PlaneSize } from "./bicubic.ts";
import { type NearestRule, planeToPicture } from "./nearest.ts";
import { openSliceMasks } from "./slice-masks.ts";
import { gateByExistence, logitAbove, type MaskThresholds, probabilityOf, suppressOverlapping } from "./suppress.ts";

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
 * next plane: of exclusive masks a bit for each prompt and pixel, and nine bytes for each pixel.
 */
export function sliceOutput(options: SliceOutputOptions): SliceOutput {
  const { plane, imageSize, logitSize, prompts, thresholds } = options;
  const isSame = plane[0] === imageSize && plane[1] === imageSize;
  const onPlane = isSame ? (picture: Uint8Array) => picture.slice() : toPlane(plane, imageSize, options.nearest);
  const exclusive = options.merge === "exclusive" && prompts > 1;
  const room = exclusive ? prompts : 1;
  const masks = openSliceMasks([logitSize, logitSize], [imageSize, imageSize], { room, separate: exclusive });
  const greys = new Uint8Array(options.probabilities ? imageSize * imageSize : 0);
  const cut = logitAbove(thresholds.mask);
  const ownMask = (prompt: number) => {
    if (masks.common(prompt, prompt) === 0) return undefined;
    const mask = onPlane(masks.bytes(prompt));
    return isSame || mask.includes(1) ? mask : undefined;
  };

  return (maskLogits, existenceLogits) => {
    const existence = Array.from(existenceLogits, probabilityOf);
    const load = (prompt: number) =>
      masks.load(maskLogits.subarray(prompt * logitSize ** 2, (prompt + 1) * logitSize ** 2));
    const kept = gateByExistence(existence, thresholds);
    const pixels = existence.map(() => 0);
    const answers = existence.map((score, prompt): PlaneAnswer => {
      const mayBeThere = exclusive ? score >= thresholds.existence : kept[prompt]!;
      if (mayBeThere || options.probabilities) load(prompt);
      if (mayBeThere) pixels[prompt] = masks.cut(exclusive ? prompt : 0, cut);
      if (options.probabilities) masks.greys(greys);
      return planeAnswer(
        score,
        !exclusive && pixels[prompt]! > 0 ? ownMask(0) : undefined,
        options.probabilities ? onPlane(greys) : undefined,
      );
    });
    if (!exclusive) return answers;
    const left = suppressOverlapping(existence, pixels, masks.common, thresholds);
    masks.separate(left, load, cut);
    const isLeft = new Set(left);
    return answers.map(({ existence, probability }, prompt) =>
      planeAnswer(existence, isLeft.has(prompt) ? ownMask(prompt) : undefined, probability),
    );
  };
}

function planeAnswer(existence: number, mask?: Uint8Array, probability?: Uint8Array): PlaneAnswer {
  return { existence, ...(mask && { mask }), ...(probability && { probability }) };
}

/** Takes a picture's pixels to a plane; what comes back is new. */
function toPlane(plane: PlaneSize, imageSize: number, rule: NearestRule) {
  const source = planeToPicture(plane, imageSize, rule);
  return (picture: Uint8Array): Uint8Array => {
    const values = new Uint8Array(source.length);
    for (let p = 0; p < source.length; p++) values[p] = picture[source[p]!]!;
    return values;
  };
}
