import { Tensor } from "onnxruntime-node";
import type { ServedModel } from "#models/index.ts";
import type { OnnxSession, Tensors } from "../child/onnx-runtime.ts";
import { RemoteModelError } from "../remote/remote-model-error.ts";
import { BYTES_OF, decodeInfer, encodeInfer, JSON_LENGTH, longestAnswer, type WireTensor } from "./binary-tensors.ts";
import type { Datatype, GraphShapes, TensorShape } from "./graph-shapes.ts";
import type { InferenceServer, ModelMetadata } from "./server.ts";

/**
 * A graph on a server, run as a session of this process would be.
 * @throws RemoteModelError "model-missing", "wrong-shape" where the server's model is not the bundle's
 */
export async function openRemoteSession(
  server: InferenceServer,
  model: ServedModel,
  shapes: GraphShapes,
): Promise<OnnxSession> {
  const metadata = await server.metadata(model);
  const datatypes = checkMetadata(metadata, model, shapes);
  const served = shapes.outputs.filter(({ name }) => metadata.outputs.some((output) => output.name === name));
  const outputNames = served.map(({ name }) => name);
  return {
    async run(inputs) {
      const axes = axesOf(inputs, shapes);
      const tensors = shapes.inputs.map(({ name }) => toWire(model, name, inputs[name]!, datatypes.get(name)!));
      const expected = served.map((one) => ({ ...one, dims: one.shape.map((axis) => axes.get(axis) ?? axis) }));
      const outputBytes = expected.reduce((sum, { dims }) => sum + BYTES_OF.FP32 * product(dims as number[]), 0);
      const answer = await server.infer(model, {
        ...encodeInfer(tensors, outputNames),
        maxAnswerBytes: longestAnswer(outputBytes),
      });
      const length = answer.headers[JSON_LENGTH];
      const outputs = decodeInfer(answer.body, typeof length === "string" ? length : undefined);
      return Object.fromEntries(
        expected.map(({ name, dims }) => {
          const { datatype, shape, bytes } = outputs.get(name) ?? { datatype: "none", shape: [], bytes: undefined };
          if (
            datatype !== "FP32" ||
            String(shape) !== String(dims) ||
            bytes?.length !== 4 * product(dims as number[])
          ) {
            throw wrongShape(model, `answers "${name}" as ${datatype} [${shape}] where FP32 [${dims}] was due`);
          }
          return [name, new Tensor("float32", new Float32Array(bytes.buffer), shape)];
        }),
      );
    },
    release: async () => {},
  };
}

/** What the inputs are sent as, by name. */
function checkMetadata(
  metadata: ModelMetadata,
  model: ServedModel,
  { inputs, outputs }: GraphShapes,
): ReadonlyMap<string, Datatype> {
  const check = (due: TensorShape, served: ModelMetadata["inputs"]): readonly [string, Datatype] => {
    const found = served.find(({ name }) => name === due.name);
    if (!found) throw wrongShape(model, `has no tensor "${due.name}"`);
    const datatype = due.datatypes.find((one) => one === found.datatype);
    // A length that changes from run to run has to be free on the server; a fixed one may be free there.
    const fits =
      found.shape.length === due.shape.length &&
      due.shape.every((axis, n) => found.shape[n] === -1 || found.shape[n] === axis);
    if (datatype && fits) return [due.name, datatype];
    throw wrongShape(
      model,
      `has "${due.name}" as ${found.datatype} [${found.shape}] where ${due.datatypes.join(" or ")} [${due.shape}] is due`,
    );
  };
  for (const output of outputs) {
    if (output.optional && !metadata.outputs.some(({ name }) => name === output.name)) continue;
    check(output, metadata.outputs);
  }
  const further = metadata.inputs.find(({ name }) => !inputs.some((input) => input.name === name));
  if (further) throw wrongShape(model, `wants an input that the bundle does not have`);
  return new Map(inputs.map((input) => check(input, metadata.inputs)));
}

/** The lengths that the letters of the shapes stand for in this run. */
function axesOf(inputs: Tensors, shapes: GraphShapes): ReadonlyMap<number | string, number> {
  return new Map(
    shapes.inputs.flatMap(({ name, shape }) =>
      shape.flatMap((axis, n) => (typeof axis === "string" ? [[axis, inputs[name]!.dims[n]!] as const] : [])),
    ),
  );
}

function toWire(model: ServedModel, name: string, { data, dims }: Tensor, datatype: Datatype): WireTensor {
  if (!ArrayBuffer.isView(data)) throw new TypeError(`${name} is no typed array`);
  const bytes =
    datatype === "UINT8"
      ? asBytes(model, data as Float32Array)
      : new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return { name, datatype, shape: dims, bytes };
}

function asBytes(model: ServedModel, values: Float32Array): Uint8Array {
  const bytes = Uint8Array.from(values);
  for (let n = 0; n < values.length; n++) {
    if (bytes[n] !== values[n]) throw wrongShape(model, "takes images as bytes, and this one has finer grey levels");
  }
  return bytes;
}

function product(dims: readonly number[]): number {
  return dims.reduce((all, length) => all * length, 1);
}

function wrongShape({ name }: ServedModel, what: string): RemoteModelError {
  return new RemoteModelError(
    "wrong-shape",
    `The server's model "${name}" ${what}. Serve the bundle that the manifest names.`,
  );
}
