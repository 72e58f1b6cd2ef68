import type { InstalledBundle } from "#models/index.ts";
import type { ProviderStatus } from "../engine-options.ts";
import type { Load } from "../protocol.ts";
import { openDevice } from "./device.ts";
import type { ImageModel } from "./image-model.ts";
import type { OnnxSession } from "./onnx-runtime.ts";

/** A bundle's text graph and image model, ready to be run, wherever that is. */
export interface BundleGraphs {
  readonly provider: ProviderStatus;
  readonly text: OnnxSession;
  /** A session of the whole image graph becomes one by `wholeImageModel`. */
  readonly image: ImageModel;
  /** Slices for each run of the image graph, and prompts; fewer from where memory runs short. */
  readonly sliceBatch: number;
  readonly promptBatch?: number;
  /** Batches of slices that may be under way at once; on this machine one of them is computed at a time. */
  readonly parallel: number;
  /** Targets answered ahead where a question does not say how many; default 0. */
  readonly anticipate?: number;
  /** Bytes that are free where the graphs run; absent where that cannot be asked. */
  readonly freeBytes?: () => number;
  /** For answers that are kept; default 256 MiB. */
  readonly memoryBytes?: number;
}

/** Beside a question on a GPU, further prompts cost next to nothing. */
const anticipatedOnGpu = 16;

/**
 * Slices of a look on a GPU, to begin with: a look at four needed 8 GB elsewhere. On a CPU more slices at once are no cheaper
 * for each.
 */
const slicesOnGpu = 4;

/** The graphs on this machine. @throws ModelUnavailableError where they do not load, GpuOutOfMemoryError */
export async function openLocalGraphs(
  { folder, manifest }: Pick<InstalledBundle, "folder" | "manifest">,
  load: Load,
): Promise<BundleGraphs> {
  const { provider, text, image } = await openDevice({ folder, manifest, load });
  const isCpu = provider.actual === "cpu";
  return {
    provider,
    text,
    image,
    sliceBatch: load.sliceBatch ?? (isCpu ? 1 : slicesOnGpu),
    // While one batch is computed, the one before becomes planes and the next one pictures.
    parallel: 2,
    anticipate: load.anticipate ?? (isCpu ? 0 : anticipatedOnGpu),
    // Of a GPU's memory onnxruntime says nothing: there a shortage is told, and less is asked then.
    ...(isCpu ? { freeBytes: () => process.availableMemory() } : { memoryBytes: 2 ** 30 }),
  };
}
