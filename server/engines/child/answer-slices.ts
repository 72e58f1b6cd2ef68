import {
  logitAbove,
  type MaskThresholds,
  type PlaneAnswer,
  type SliceOutputOptions,
  sliceOutput,
} from "#converters/pixels/index.ts";
import type { BundleManifest } from "#models/index.ts";
import type { Begin } from "../protocol.ts";
import type { BundleGraphs } from "./bundle-graphs.ts";
import { Disagreement } from "./disagreement.ts";
import type { Reply } from "./engine.ts";
import type { ImageLogits } from "./image-network.ts";
import { inOrder } from "./in-order.ts";
import type { ModelVolume } from "./model-volume.ts";
import { planeSink, type SlicePlane } from "./plane-sink.ts";
import type { RecallingNetwork } from "./recalling-network.ts";
import { resampledSink } from "./resampled-sink.ts";
import { type SliceBatch, walkSlices } from "./slice-walk.ts";

/** Walks through a volume's slices and hands on what the network says of each. */
export async function answerSlices(
  volume: ModelVolume,
  network: RecallingNetwork,
  question: Begin,
  manifest: BundleManifest,
  { sliceBatch, parallel, draws }: Pick<BundleGraphs, "sliceBatch" | "parallel"> & { readonly draws: number },
  reply: Reply,
): Promise<void> {
  const { input, resampledFrom } = volume;
  const prompts = question.prompts.length;
  const thresholds = thresholdsOf(question, manifest);
  const toPlanes = planesOf(volume, question, manifest, thresholds, draws);
  const cut = { mask: logitAbove(thresholds.mask), existence: logitAbove(thresholds.existence) };
  const disagreement = draws > 1 ? new Disagreement(prompts, draws, cut) : undefined;
  const sink = resampledFrom
    ? resampledSink(volume, resampledFrom, question, reply)
    : planeSink(volume, question, reply);
  await reply.progress("infer", 0);
  let done = 0;
  const batches = walkSlices(input.planes, sliceBatch, beginning(volume, question.firstSlice));
  const run = async (batch: SliceBatch) => ({ ...batch, ...(await network.answer(batch.first, batch.count)) });
  for await (const { first, count, draws: answers, lookAhead } of inOrder(batches, parallel, run)) {
    // While the device goes on, what it said is made into planes.
    const ahead = lookAhead();
    ahead.catch(() => {});
    disagreement?.take(answers, count);
    done += count;
    const differences = done === input.planes ? disagreement?.result() : undefined;
    const mean = meanOf(answers);
    for (let slice = 0; slice < count; slice++) {
      const planes = toPlanes(
        partOf(mean, slice, count),
        answers.map((draw) => partOf(draw, slice, count)),
      );
      const isLast = slice === count - 1;
      await sink.take(
        first + slice,
        isLast && differences ? planes.map((plane, p) => ({ ...plane, disagreement: differences[p]! })) : planes,
      );
    }
    await ahead;
    await reply.progress("infer", done / input.planes);
  }
  network.remember();
  await sink.end();
}

/** The question's own thresholds before the manifest's. */
function thresholdsOf({ maskThreshold, existenceThreshold }: Begin, { thresholds }: BundleManifest): MaskThresholds {
  return {
    ...thresholds,
    ...(maskThreshold !== undefined && { mask: maskThreshold }),
    ...(existenceThreshold !== undefined && { existence: existenceThreshold }),
  };
}

/** The model's slice at the volume's slice k; undefined where the model's slices stand on another axis. */
function beginning({ input, standing, resampledFrom }: ModelVolume, k: number | undefined): number | undefined {
  if (k === undefined || standing(0).axis !== 2) return undefined;
  const wanted = resampledFrom ? Math.floor(((k + 0.5) * input.planes) / resampledFrom.size[2]) : k;
  return standing(0).index === 0 ? wanted : input.planes - 1 - wanted;
}

/** One slice's logits to planes. Masks are of the mean logits; with several draws, probabilities are the mean of the draws' own. */
function planesOf(
  { plane }: ModelVolume,
  { prompts, merge, probabilities, instances }: Begin,
  { imageSize, maskStride, nearest }: BundleManifest,
  thresholds: MaskThresholds,
  draws: number,
): (mean: ImageLogits, draws: readonly ImageLogits[]) => readonly SlicePlane[] {
  const logitSize = imageSize / maskStride;
  const common = { plane, imageSize, logitSize, nearest, prompts: prompts.length, thresholds };
  const output = (options: Pick<SliceOutputOptions, "merge" | "probabilities"> & Partial<SliceOutputOptions>) =>
    sliceOutput({ ...common, ...options });
  const isMean = probabilities && draws > 1;
  const toMasks = output({ merge, probabilities: probabilities && !isMean });
  const toGreys = isMean ? output({ merge: "overlapping", probabilities }) : undefined;
  const edgeThresholds = { ...thresholds, mask: EDGE };
  const toEdges = instances
    ? output({ merge: "overlapping", probabilities: false, thresholds: edgeThresholds })
    : undefined;
  return (mean, each) => {
    const answers = toMasks(mean.masks, mean.existence);
    const greys = toGreys ? meanGreys(each.map(({ masks, existence }) => toGreys(masks, existence))) : [];
    const edges = toEdges && mean.edges ? toEdges(mean.edges, mean.existence) : [];
    return answers.map((answer, p) => ({
      ...answer,
      ...(greys[p] && { probability: greys[p] }),
      ...(edges[p]?.mask && { edges: edges[p].mask }),
    }));
  };
}

/** An edge is where its probability is above this: upstream's mask threshold, whatever the masks' own is. */
const EDGE = 0.5;

function meanGreys(draws: readonly (readonly PlaneAnswer[])[]): readonly Uint8Array[] {
  return draws[0]!.map((_, p) => {
    const sums = new Uint16Array(draws[0]![p]!.probability!.length);
    for (const draw of draws) {
      const { probability } = draw[p]!;
      for (let n = 0; n < sums.length; n++) sums[n]! += probability![n]!;
    }
    return Uint8Array.from(sums, (sum) => Math.round(sum / draws.length));
  });
}

function meanOf(draws: readonly ImageLogits[]): ImageLogits {
  const [only] = draws;
  if (draws.length === 1 && only) return only;
  const mean = (values: readonly Float32Array[]) =>
    Float32Array.from(values[0]!, (_, n) => {
      let sum = 0;
      for (const one of values) sum += one[n]!;
      return sum / values.length;
    });
  const edges = draws.flatMap((draw) => draw.edges ?? []);
  return {
    masks: mean(draws.map(({ masks }) => masks)),
    existence: mean(draws.map(({ existence }) => existence)),
    ...(edges.length > 0 && { edges: mean(edges) }),
  };
}

/** The n-th of `count` slices. */
function partOf({ masks, existence, edges }: ImageLogits, n: number, count: number): ImageLogits {
  const part = (values: Float32Array) =>
    values.subarray((n * values.length) / count, ((n + 1) * values.length) / count);
  return { masks: part(masks), existence: part(existence), ...(edges && { edges: part(edges) }) };
}
