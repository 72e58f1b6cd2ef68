import { z } from "zod";
import { type ByteSource, damagedWeights, unusableWeights } from "./byte-source.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** The format's own limit. */
const HEADER_LIMIT_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const FLOAT32_BYTES = 4;
const METADATA = "__metadata__";

const Count = z.int().nonnegative();

const Entry = z.object({
  dtype: z.string(),
  shape: z.array(Count).max(8),
  data_offsets: z.tuple([Count, Count]),
});

/**
 * Tensors of a safetensors file. Every byte behind the header belongs to exactly one of them, as the format wants it.
 *
 * @throws ModelBundleError where the file is damaged or hostile, or a tensor is not float32
 */
export async function readSafetensors(source: ByteSource): Promise<ReadonlyMap<string, StoredTensor>> {
  const lengthBytes = await source.read(0, LENGTH_BYTES);
  const length = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (length > HEADER_LIMIT_BYTES || LENGTH_BYTES + length > source.size)
    throw damagedWeights(source.name, `claims a header of ${length} bytes`);
  const dataOffset = LENGTH_BYTES + length;
  const tensors = new Map<string, StoredTensor>();
  const ranges: (readonly [number, number])[] = [];
  for (const [name, value] of Object.entries(parseHeader(source, await source.read(LENGTH_BYTES, length)))) {
    if (name === METADATA) continue;
    const { shape, start, end } = readEntry(source, name, value);
    ranges.push([start, end]);
    tensors.set(name, { shape, offset: dataOffset + start });
  }
  checkTiling(source, ranges, source.size - dataOffset);
  return tensors;
}

function parseHeader(source: ByteSource, bytes: Uint8Array): object {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damagedWeights(source.name, "has a header that is not JSON", { cause });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw damagedWeights(source.name, "has a header that is no list of tensors");
  return header;
}

function readEntry(source: ByteSource, name: string, value: unknown) {
  const parsed = Entry.safeParse(value);
  if (!parsed.success)
    throw damagedWeights(source.name, "has a header entry that describes no tensor", { cause: parsed.error });
  const { dtype, shape, data_offsets } = parsed.data;
  const [start, end] = data_offsets;
  if (dtype !== "F32") throw unusableWeights(source.name, `keeps "${name}" as ${dtype}; only float32 can be used in place`);
  const bytes = shape.reduce((product, count) => product * count, FLOAT32_BYTES);
  if (end - start !== bytes) throw damagedWeights(source.name, `has ${end - start} bytes for "${name}" in place of ${bytes}`);
  return { shape, start, end };
}

function checkTiling(source: ByteSource, ranges: readonly (readonly [number, number])[], bytes: number): void {
  let next = 0;
  for (const [start, end] of ranges.toSorted(([a, b], [c, d]) => a - c || b - d)) {
    if (start !== next)
      throw damagedWeights(source.name, `has tensors that ${start < next ? "overlap" : "leave a gap"} at byte ${start}`);
    next = end;
  }
  if (next !== bytes) throw damagedWeights(source.name, `has ${bytes} bytes of values and describes ${next}`);
}
