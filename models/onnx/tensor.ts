import { Message } from "./protobuf.ts";

/** TensorProto.DataType. */
const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;

const BYTES_PER_ELEMENT = {
  float32: 4,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
} as const satisfies Record<Dtype, number>;

export type Dtype = keyof typeof DATA_TYPES;

/** A constant: an initialiser of a graph, or an attribute. C order, little endian. */
export interface OnnxTensor {
  /** Empty for an attribute. */
  readonly name: string;
  readonly dtype: Dtype;
  /** Empty for a scalar. */
  readonly dims: readonly number[];
  readonly data: ArrayBufferView | ExternalData;
}

/** Bytes that stay in another file of the model's folder. A link to outside the folder is refused by onnxruntime. */
export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** A float32 tensor. */
export function float32(name: string, dims: readonly number[], values: ArrayLike<number>): OnnxTensor {
  return { name, dtype: "float32", dims, data: Float32Array.from(values) };
}

/** An int64 tensor. */
export function int64(name: string, dims: readonly number[], values: readonly number[]): OnnxTensor {
  return { name, dtype: "int64", dims, data: BigInt64Array.from(values, BigInt) };
}

/** The number that ONNX gives a dtype, as operators such as Cast want it. */
export function dataType(dtype: Dtype): number {
  return DATA_TYPES[dtype];
}

/** @throws RangeError where the bytes are not as many as the dims say. */
export function tensorMessage({ name, dtype, dims, data }: OnnxTensor): Message {
  const message = new Message();
  for (const dim of dims) message.int(1, dim);
  message.int(2, DATA_TYPES[dtype]).string(8, name);
  const expected = dims.reduce((product, dim) => product * dim, BYTES_PER_ELEMENT[dtype]);
  const actual = ArrayBuffer.isView(data) ? data.byteLength : data.length;
  if (actual !== expected)
    throw new RangeError(`tensor "${name}" ${dtype}[${dims.join(", ")}] needs ${expected} bytes and has ${actual}`);
  if (ArrayBuffer.isView(data)) return message.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const entries = { location: data.location, offset: String(data.offset), length: String(data.length) };
  for (const [key, value] of Object.entries(entries))
    message.message(13, new Message().string(1, key).string(2, value));
  return message.int(14, 1);
}
