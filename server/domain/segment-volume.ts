import type { Volume } from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume, setPlane, writePlane } from "#converters/mask/index.ts";
import type { Run, SegmentationModel, SegmentOptions } from "./ports.ts";
import type { Prompt } from "./prompt.ts";

/** All that a model said about one prompt, on the volume's own grid. */
export interface PromptMask {
  readonly prompt: Prompt;
  readonly mask: BitVolume;
  /** The largest existence probability over the planes; null where the model gives none. */
  readonly score: number | null;
  /** round(255 p) for each voxel, i fastest; only where asked for. */
  readonly probability?: Uint8Array;
}

/** Runs the model and gathers its planes into one mask for each prompt, in the order of the prompts. */
export async function segmentVolume(
  model: SegmentationModel,
  volume: Volume,
  prompts: readonly Prompt[],
  options: SegmentOptions,
  run: Run,
): Promise<readonly PromptMask[]> {
  const { size } = volume.geometry;
  const gathered = prompts.map((prompt) => ({
    prompt,
    mask: createBitVolume(size),
    score: null as number | null,
    ...(options.probabilities && { probability: new Uint8Array(size[0] * size[1] * size[2]) }),
  }));
  const byId = new Map(gathered.map((one) => [one.prompt.id, one]));
  for await (const plane of model.segment(volume, prompts, options, run)) {
    const one = byId.get(plane.promptId);
    if (!one) throw new Error("the model answered a prompt that was not asked");
    if (plane.existence !== null) one.score = Math.max(one.score ?? 0, plane.existence);
    if (plane.mask) setPlane(one.mask, plane.axis, plane.index, plane.mask);
    if (plane.probability && one.probability) {
      writePlane(one.probability, size, plane.axis, plane.index, plane.probability);
    }
  }
  return gathered;
}
