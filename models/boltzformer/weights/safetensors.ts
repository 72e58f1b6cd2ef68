import { z } from "zod";
import { type ByteSource, damagedWeights, unusableWeights } from "./byte-source.ts";
import type { StoredTensor } from "./stored-tensor.ts";

/** The format's own limit. */
const HEADER_LIMIT_BYTES = 100_000_000;
const LENGTH_BYTES = 8;
const BYTES_PER_VALUE = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;
const METADATA = "__metadata__";

const Count = z.int().nonnegative();

const Entry = z.object({
  dtype: z.enum(Object.keys(BYTES_PER_VALUE) as (keyof typeof BYTES_PER_VALUE)[]),
  shape: z.array(Count).max(8),
  data_offsets: z.tuple([Count, Count]),
});

/** A tensor of any type in a safetensors file. */
export interface SafetensorsEntry extends StoredTensor {
  /** As the format calls it: "F32". */
  readonly dtype: string;
  readonly bytes: number;
}

/**
 * The tensors of a network in a safetensors file.
 *
 * @throws ModelBundleError where the file is damaged or hostile, or a tensor is not float32
 */
export async function readSafetensorsWeights(source: ByteSource): Promise<ReadonlyMap<string, StoredTensor>> {
  const tensors = await readSafetensors(source);
  for (const [name, { dtype }] of tensors)
    if (dtype !== "F32")
      throw unusableWeights(source.name, `keeps "${name}" as ${dtype}; only float32 can be used in place`);
  return tensors;
}

/**
 * Table of contents of a safetensors file. Every byte behind the header belongs to exactly one tensor, as the format wants
 * it.
 *
 * @throws ModelBundleError where the file is damaged or hostile
 */
export async function readSafetensors(source: ByteSource): Promise<ReadonlyMap<string, SafetensorsEntry>> {
  const lengthBytes = await source.read(0, LENGTH_BYTES);
  const length = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (length > HEADER_LIMIT_BYTES || LENGTH_BYTES + length > source.size)
    throw damagedWeights(source.name, `claims a header of ${length} bytes`);
  const dataOffset = LENGTH_BYTES + length;
  const tensors = new Map<string, SafetensorsEntry>();
  const header = parseHeader(source, await source.read(LENGTH_BYTES, length));
  for (const [name, value] of Object.entries(header))
    if (name !== METADATA) tensors.set(name, readEntry(source, name, value, dataOffset));
  checkTiling(source, [...tensors.values()], dataOffset);
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

function readEntry(source: ByteSource, name: string, value: unknown, dataOffset: number): SafetensorsEntry {
  const parsed = Entry.safeParse(value);
  if (!parsed.success)
    throw damagedWeights(source.name, "has a header entry that describes no tensor", { cause: parsed.error });
  const { dtype, shape, data_offsets } = parsed.data;
  const [start, end] = data_offsets;
  const bytes = shape.reduce((product, count) => product * count, BYTES_PER_VALUE[dtype]);
  if (end - start !== bytes)
    throw damagedWeights(source.name, `has ${end - start} bytes for "${name}" in place of ${bytes}`);
  return { dtype, shape, bytes, offset: dataOffset + start };
}

function checkTiling(source: ByteSource, tensors: readonly SafetensorsEntry[], dataOffset: number): void {
  let next = dataOffset;
  for (const { offset, bytes } of tensors.toSorted((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
    if (offset !== next)
      throw damagedWeights(
        source.name,
        `has tensors that ${offset < next ? "overlap" : "leave a gap"} at byte ${next}`,
      );
    next = offset + bytes;
  }
  if (next !== source.size)
    throw damagedWeights(source.name, `describes ${next} bytes and is ${source.size} bytes long`);
}
