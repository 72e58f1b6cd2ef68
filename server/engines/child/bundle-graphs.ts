import { join } from "node:path";
import type { InstalledBundle } from "#models/index.ts";
import type { ProviderStatus } from "../engine-options.ts";
import type { Load } from "../protocol.ts";
import { type ImageModel, openImageModel } from "./image-model.ts";
import { type OnnxSession, openOnnxRuntime } from "./onnx-runtime.ts";

/** A bundle's text graph and image model, ready to be run, wherever that is. */
export interface BundleGraphs {
  readonly provider: ProviderStatus;
  readonly text: OnnxSession;
  /** A session of the whole image graph becomes one by `wholeImageModel`. */
  readonly image: ImageModel;
  /** Slices for each run of the image graph. */
  readonly sliceBatch: number;
  /** Runs of the image graph that may be under way at once: more than one only where another machine computes. */
  readonly parallel: number;
  /** Targets answered ahead where a question does not say how many; default 0. */
  readonly anticipate?: number;
  /** For answers that are kept; default 256 MiB. */
  readonly memoryBytes?: number;
}

/** Beside a question on a GPU, further prompts cost next to nothing. */
const anticipatedOnGpu = 16;

/** The graphs in this process. @throws ModelUnavailableError where they do not load, GpuOutOfMemoryError */
export async function openLocalGraphs(
  { folder, manifest }: Pick<InstalledBundle, "folder" | "manifest">,
  load: Load,
): Promise<BundleGraphs> {
  const runtime = await openOnnxRuntime(load);
  const text = await runtime.open(join(folder, manifest.files.textEncoder.name));
  const image = await openImageModel(runtime, folder, manifest);
  const isCpu = runtime.provider.actual === "cpu";
  return {
    provider: runtime.provider,
    text,
    image,
    sliceBatch: load.sliceBatch,
    parallel: 1,
    anticipate: load.anticipate ?? (isCpu ? 0 : anticipatedOnGpu),
    ...(!isCpu && { memoryBytes: 2 ** 30 }),
  };
}
