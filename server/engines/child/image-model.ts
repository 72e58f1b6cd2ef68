import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { type BundleManifest, IMAGE_GRAPH, layerNoise, NOISE_INPUT } from "#models/index.ts";
import { ModelUnavailableError } from "../../domain/errors.ts";
import type { OnnxRuntime, OnnxSession, Tensors } from "./onnx-runtime.ts";

/** A bundle's image model, in one graph or in two. */
export interface ImageModel {
  /** Whether it looks at an image once for any number of questions, so that further ones cost next to nothing. */
  readonly looksOnce: boolean;
  /** Whether it can be asked with other noise than the manifest's. */
  readonly samples: boolean;
  /**
   * @param images [slices, 3, imageSize, imageSize] grey values, to be left alone until the view's last answer
   * @param questions that will be asked of the view
   */
  look(images: Float32Array, slices: number, questions: number): Promise<ImageView>;
  /**
   * Resolves when the device is the caller's, until it is disposed of: what one look leaves in memory is gone before the next
   * one comes. Absent where looks may go on side by side.
   */
  turn?(): Promise<Disposable>;
}

/** Slices that were looked at, ready for any number of questions. */
export interface ImageView {
  /** @param textTokens [L, P, hiddenDim] @param seed of the noise; the manifest's own where left out */
  ask(textTokens: Tensor, seed?: number): Promise<Tensors>;
  /** Nothing more will be asked of it: its memory is given back. */
  close(): void;
}

/** One graph: it looks at the image anew for each question. */
export function wholeImageModel(session: OnnxSession, manifest: Pick<BundleManifest, "imageSize">): ImageModel {
  return {
    looksOnce: false,
    samples: false,
    async look(images, slices) {
      const image = imageTensor(images, slices, manifest);
      return {
        ask: (textTokens) =>
          session.run({ [IMAGE_GRAPH.image.name]: image, [IMAGE_GRAPH.textTokens.name]: textTokens }),
        close: () => {},
      };
    },
  };
}

/** Two graphs: the first looks at the image once, the second answers every question from what it saw. */
export function halvedImageModel(
  encoder: OnnxSession,
  decoder: OnnxSession,
  manifest: Pick<BundleManifest, "imageSize" | "sampling">,
): ImageModel {
  const { sampling } = manifest;
  const shapes = sampling.mode === "frozen" ? (sampling.noise ?? []) : [];
  const noises = new Map<number, Tensors>();
  const noiseOf = (seed: number): Tensors => {
    const known = noises.get(seed) ?? noiseTensors(shapes, seed);
    noises.set(seed, known);
    return known;
  };
  return {
    looksOnce: true,
    samples: shapes.length > 0,
    async look(images, slices) {
      const features = await encoder.run({ [IMAGE_GRAPH.image.name]: imageTensor(images, slices, manifest) });
      return {
        ask: (textTokens, seed = sampling.mode === "frozen" ? sampling.seed : 0) =>
          decoder.run({ ...features, ...noiseOf(seed), [IMAGE_GRAPH.textTokens.name]: textTokens }),
        close: () => giveBack(features),
      };
    },
  };
}

/**
 * The image model in its two halves where the bundle has them, else whole. Between two graphs the features go through the
 * host's memory: on a GPU a single question is asked of the whole, and the halves are opened when first needed.
 * @throws ModelUnavailableError where a graph does not load
 */
export async function openImageModel(
  runtime: OnnxRuntime,
  folder: string,
  manifest: Pick<BundleManifest, "imageSize" | "sampling" | "files">,
): Promise<ImageModel> {
  const { imageModel, imageEncoder, promptDecoder } = manifest.files;
  const open = (file: { readonly name: string }) => runtime.open(join(folder, file.name));
  if (!imageEncoder || !promptDecoder) return wholeImageModel(await open(imageModel), manifest);
  const openHalves = async () => halvedImageModel(await open(imageEncoder), await open(promptDecoder), manifest);
  if (runtime.provider.actual === "cpu") return openHalves();
  const whole = wholeImageModel(await open(imageModel), manifest);
  let halves: Promise<ImageModel> | undefined;
  return {
    looksOnce: true,
    samples: manifest.sampling.mode === "frozen",
    async look(images, slices, questions) {
      if (questions === 1) return whole.look(images, slices, questions);
      halves ??= openHalves();
      return (await halves).look(images, slices, questions);
    },
  };
}

/**
 * The noises that a question is computed with: its own seed and those after it.
 * @throws ModelUnavailableError where the model samples, and this bundle of it has only the one noise that was built in
 */
export function seedsOf(manifest: Pick<BundleManifest, "name" | "sampling">, model: ImageModel, draws = 1): number[] {
  const { sampling } = manifest;
  if (sampling.mode === "none" || draws === 1) return [sampling.mode === "none" ? 0 : sampling.seed];
  if (!model.samples) {
    throw new ModelUnavailableError(
      `The model ${manifest.name} has one noise only here: ask for one draw, or install its weights on this machine (parse3d models add).`,
      { retryable: false },
    );
  }
  return Array.from({ length: draws }, (_, n) => sampling.seed + n);
}

/** Frees tensors now: garbage collection does not know how large they are, and comes some hundred megabytes too late. */
function giveBack(tensors: Tensors): void {
  for (const { data } of Object.values(tensors)) {
    if (ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer) data.buffer.transfer(0);
  }
}

function imageTensor(images: Float32Array, slices: number, { imageSize }: Pick<BundleManifest, "imageSize">): Tensor {
  return new Tensor(IMAGE_GRAPH.image.dtype, images, [slices, 3, imageSize, imageSize]);
}

function noiseTensors(shapes: readonly (readonly number[])[], seed: number): Tensors {
  const tensors = shapes.map((dims, layer) => {
    const count = dims.reduce((product, length) => product * length, 1);
    return [`${NOISE_INPUT}${layer}`, new Tensor("float32", layerNoise(seed, layer, count), dims)] as const;
  });
  return Object.fromEntries(tensors);
}
