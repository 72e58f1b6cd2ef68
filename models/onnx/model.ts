import { Message } from "./protobuf.ts";
import { type Dtype, dataType, type OnnxTensor, tensorMessage } from "./tensor.ts";

/** An attribute says its own kind: `1` alone could be a whole number or a float. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly tensor: OnnxTensor };

export interface OnnxNode {
  readonly op: string;
  /** An empty name is an optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Operator set; absent: ONNX's own. */
  readonly domain?: string;
}

/** An input or output of a graph; a dim that is a word is free, and equal wherever the same word stands. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly dims: readonly (number | string)[];
}

export interface OnnxModel {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In an order in which each finds its inputs made. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** Other operator sets and their versions. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** IR version 9 belongs to opset 20 (ONNX 1.15); older opsets may be used with it. */
const IR_VERSION = 9;
const PROTOBUF_LIMIT_BYTES = 2 ** 31 - 1;

/**
 * A ModelProto (onnx.proto3) as chunks of bytes, tensor data among them by reference. The same model gives the same bytes.
 *
 * @throws RangeError where a tensor's size is wrong, or the whole is beyond protobuf's 2 GiB: weights of that size belong
 * into external data.
 */
export function encodeModel(model: OnnxModel): readonly Uint8Array[] {
  const message = new Message().int(1, IR_VERSION).string(2, "parse3d").message(7, graphMessage(model));
  message.message(8, new Message().string(1, "").int(2, model.opset));
  for (const [domain, version] of Object.entries(model.domains ?? {}))
    message.message(8, new Message().string(1, domain).int(2, version));
  for (const [key, value] of Object.entries(model.metadata ?? {}))
    message.message(14, new Message().string(1, key).string(2, value));
  if (message.byteLength > PROTOBUF_LIMIT_BYTES)
    throw new RangeError(`model "${model.name}" needs ${message.byteLength} bytes: keep its weights as external data`);
  return message.chunks();
}

function graphMessage({ name, nodes, initializers, inputs, outputs }: OnnxModel): Message {
  const graph = new Message();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  graph.string(2, name);
  for (const tensor of initializers) graph.message(5, tensorMessage(tensor));
  for (const input of inputs) graph.message(11, valueInfoMessage(input));
  for (const output of outputs) graph.message(12, valueInfoMessage(output));
  return graph;
}

function nodeMessage({ op, inputs, outputs, attributes = {}, domain }: OnnxNode): Message {
  const node = new Message();
  for (const input of inputs) node.string(1, input);
  for (const output of outputs) node.string(2, output);
  node.string(3, outputs[0] ?? op).string(4, op);
  for (const [name, attribute] of Object.entries(attributes)) node.message(5, attributeMessage(name, attribute));
  if (domain !== undefined) node.string(7, domain);
  return node;
}

function attributeMessage(name: string, attribute: Attribute): Message {
  const message = new Message().string(1, name);
  if ("float" in attribute) return message.float(2, attribute.float).int(20, 1);
  if ("int" in attribute) return message.int(3, attribute.int).int(20, 2);
  if ("string" in attribute) return message.string(4, attribute.string).int(20, 3);
  if ("tensor" in attribute) return message.message(5, tensorMessage(attribute.tensor)).int(20, 4);
  if ("floats" in attribute) {
    for (const value of attribute.floats) message.float(7, value);
    return message.int(20, 6);
  }
  for (const value of attribute.ints) message.int(8, value);
  return message.int(20, 7);
}

function valueInfoMessage({ name, dtype, dims }: ValueInfo): Message {
  const shape = new Message();
  for (const dim of dims) {
    const one = new Message();
    shape.message(1, typeof dim === "string" ? one.string(2, dim) : one.int(1, dim));
  }
  const tensorType = new Message().int(1, dataType(dtype)).message(2, shape);
  return new Message().string(1, name).message(2, new Message().message(1, tensorType));
}
