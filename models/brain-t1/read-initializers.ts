import type { OnnxTensor } from "../onnx/tensor.ts";

/** A field of a protobuf message: its number, and its value. Wire format: https://protobuf.dev/programming-guides/encoding/ */
type Field = { readonly number: number } & ({ readonly value: number } | { readonly bytes: Uint8Array });

/** TensorProto.DataType of what is read. */
const DTYPES = { 1: "float32", 7: "int64", 10: "float16" } as const;

/**
 * The constants of an ONNX file whose data are in the file itself (raw_data), by name; views on the bytes.
 *
 * @throws RangeError where the bytes are no such file
 */
export function readInitializers(bytes: Uint8Array): ReadonlyMap<string, OnnxTensor> {
  const tensors = new Map<string, OnnxTensor>();
  for (const graph of messages(bytes, 7)) {
    for (const message of messages(graph, 5)) {
      const tensor = readTensor(message);
      tensors.set(tensor.name, tensor);
    }
  }
  return tensors;
}

/** Key and value pairs (metadata_props) of an ONNX file. */
export function readMetadata(bytes: Uint8Array): Readonly<Record<string, string>> {
  const pairs = [...messages(bytes, 14)].map((pair) => [text(pair, 1), text(pair, 2)] as const);
  return Object.fromEntries(pairs);
}

function readTensor(message: Uint8Array): OnnxTensor {
  const dims: number[] = [];
  let [name, type, data]: [string, number, Uint8Array | undefined] = ["", 0, undefined];
  for (const field of fields(message)) {
    if (field.number === 1) {
      if ("value" in field) dims.push(field.value);
      else for (let at = 0; at < field.bytes.length; ) [dims[dims.length], at] = varint(field.bytes, at);
    } else if (field.number === 2 && "value" in field) type = field.value;
    else if (field.number === 8 && "bytes" in field) name = new TextDecoder().decode(field.bytes);
    else if (field.number === 9 && "bytes" in field) data = field.bytes;
  }
  const dtype = DTYPES[type as keyof typeof DTYPES];
  if (dtype === undefined || data === undefined) throw new RangeError(`tensor "${name}" is of a kind that is not read`);
  return { name, dtype, dims, data };
}

function* messages(bytes: Uint8Array, number: number): Generator<Uint8Array> {
  for (const field of fields(bytes)) if (field.number === number && "bytes" in field) yield field.bytes;
}

function text(message: Uint8Array, number: number): string {
  const [found] = messages(message, number);
  return new TextDecoder().decode(found);
}

function* fields(bytes: Uint8Array): Generator<Field> {
  for (let at = 0; at < bytes.length; ) {
    let key: number;
    [key, at] = varint(bytes, at);
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case 0: {
        let value: number;
        [value, at] = varint(bytes, at);
        yield { number, value };
        break;
      }
      case 1:
      case 5: {
        const end = at + (key % 8 === 1 ? 8 : 4);
        yield { number, bytes: bytes.subarray(at, end) };
        at = end;
        break;
      }
      case 2: {
        let length: number;
        [length, at] = varint(bytes, at);
        if (at + length > bytes.length) throw new RangeError("an ONNX file ends in the middle of a field");
        yield { number, bytes: bytes.subarray(at, at + length) };
        at += length;
        break;
      }
      default:
        throw new RangeError("not an ONNX file");
    }
  }
}

/** Of a number below 2^53, and the index behind it. */
function varint(bytes: Uint8Array, from: number): [number, number] {
  let value = 0;
  for (let at = from, scale = 1; at < bytes.length; at++, scale *= 128) {
    const byte = bytes[at]!;
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at + 1];
  }
  throw new RangeError("an ONNX file ends in the middle of a number");
}
