import { type ByteSource, openFile, unusableWeights } from "./byte-source.ts";
import { readPyTorchCheckpoint } from "./pytorch-checkpoint.ts";
import { readSafetensorsWeights } from "./safetensors.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** A weights file's table of contents. Its values stay where they are. */
export interface WeightsFile {
  /** Its name, without any path. */
  readonly file: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly format: "pytorch" | "safetensors";
  /** Names as the network's own modules have them, without a training program's prefix. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Reads the table of contents of a PyTorch checkpoint (zip) or a safetensors file, whichever it is.
 *
 * @throws ModelBundleError where it is neither, damaged, or of a kind whose values cannot be used in place
 */
export async function openWeights(path: string): Promise<WeightsFile> {
  await using source = await openFile(path);
  const { format, tensors } = await readWeights(source);
  return { file: source.name, bytes: source.size, format, tensors };
}

async function readWeights(source: ByteSource): Promise<Pick<WeightsFile, "format" | "tensors">> {
  const start = await source.read(0, Math.min(9, source.size));
  if (start[0] === 0x50 && start[1] === 0x4b)
    return { format: "pytorch", tensors: await readPyTorchCheckpoint(source) };
  if (start[8] === 0x7b) return { format: "safetensors", tensors: await readSafetensorsWeights(source) };
  throw unusableWeights(source.name, "is neither a PyTorch checkpoint (zip) nor a safetensors file");
}
