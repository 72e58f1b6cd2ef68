import { ModelBundleError } from "../errors.ts";
import type { ByteSource } from "./weights/byte-source.ts";
import { readSafetensors } from "./weights/safetensors.ts";

const ARRAYS = { F32: Float32Array, U8: Uint8Array, I16: Int16Array, I64: BigInt64Array } as const;
type Dtype = keyof typeof ARRAYS;

export interface FileTensor<D extends Dtype> {
  readonly shape: readonly number[];
  readonly values: InstanceType<(typeof ARRAYS)[D]>;
}

/** A safetensors file of measured numbers that are small enough to be read whole. */
export interface TensorFile {
  readonly names: readonly string[];
  /** @throws ModelBundleError where there is no such tensor of that type */
  read<D extends Dtype>(name: string, dtype: D): Promise<FileTensor<D>>;
}

/** @throws ModelBundleError where the file is no safetensors file */
export async function openTensorFile(source: ByteSource): Promise<TensorFile> {
  const entries = await readSafetensors(source);
  return {
    names: [...entries.keys()],
    read: async (name, dtype) => {
      const entry = entries.get(name);
      if (entry?.dtype !== dtype)
        throw new ModelBundleError(source.name, `has no "${name}" of type ${dtype}; give a file of golden data.`);
      const { buffer } = await source.read(entry.offset, entry.bytes);
      return {
        shape: entry.shape,
        values: new ARRAYS[dtype](buffer as ArrayBuffer) as FileTensor<typeof dtype>["values"],
      };
    },
  };
}
