import type { Volume } from "#converters/geometry/index.ts";
import { createBitVolume, type PlaneAxis, setPlane, writePlane } from "#converters/mask/index.ts";
import { InvalidRequestError } from "./errors.ts";
import type { Run, SegmentationModel, SegmentOptions } from "./ports.ts";
import type { PreviewFeed } from "./preview-feed.ts";
import type { Prompt } from "./prompt.ts";
import type { PromptMask } from "./prompt-mask.ts";

/** From where a plane shows the object, where neither question nor manifest says otherwise: upstream's. */
const EXISTENCE = 0.5;

/**
 * Runs the model and gathers its planes into one mask for each prompt, in the order of the prompts.
 * @param sighted told of a prompt when its first voxel is there
 * @throws InvalidRequestError where the slice to begin with is none
 */
export async function segmentVolume(
  model: SegmentationModel,
  volume: Volume,
  prompts: readonly Prompt[],
  options: SegmentOptions,
  run: Run,
  preview?: PreviewFeed,
  sighted?: (sighting: PromptMask) => void,
): Promise<readonly PromptMask[]> {
  const { size } = volume.geometry;
  const { firstSlice = 0 } = options;
  if (firstSlice >= size[2]) {
    throw new InvalidRequestError(
      `The first slice is to be ${firstSlice}; the image has ${size[2]}, counted from 0 to ${size[2] - 1}.`,
    );
  }
  const gathered = prompts.map((prompt) => ({
    prompt,
    mask: createBitVolume(size),
    score: null as number | null,
    absentPlanes: [] as { axis: PlaneAxis; index: number }[],
    isSighted: false,
    ...(options.instances && { edges: createBitVolume(size) }),
    ...(options.probabilities && { probability: new Uint8Array(size[0] * size[1] * size[2]) }),
  }));
  const disagreements = new Map<string, number>();
  const byId = new Map(gathered.map((one) => [one.prompt.id, one]));
  for await (const plane of model.segment(volume, prompts, options, run)) {
    const one = byId.get(plane.promptId);
    if (!one) throw new Error("the model answered a prompt that was not asked");
    if (plane.existence !== null) one.score = Math.max(one.score ?? 0, plane.existence);
    if (plane.edges && one.edges) setPlane(one.edges, plane.axis, plane.index, plane.edges);
    if (plane.disagreement !== undefined) disagreements.set(plane.promptId, plane.disagreement);
    if (plane.mask) {
      setPlane(one.mask, plane.axis, plane.index, plane.mask);
      preview?.wrote(plane.promptId, one.mask, plane.axis, plane.index, plane.mask);
      if (!one.isSighted) sighted?.(one);
      one.isSighted = true;
    } else if (plane.existence !== null && plane.existence < (options.existenceThreshold ?? EXISTENCE)) {
      one.absentPlanes.push({ axis: plane.axis, index: plane.index });
    }
    if (plane.probability && one.probability) {
      writePlane(one.probability, size, plane.axis, plane.index, plane.probability);
    }
  }
  preview?.end();
  return gathered.map(({ isSighted: _, ...one }) => {
    const disagreement = disagreements.get(one.prompt.id);
    return { ...one, ...(disagreement !== undefined && { disagreement }) };
  });
}
