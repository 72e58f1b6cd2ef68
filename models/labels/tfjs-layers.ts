import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ModelBundleError } from "../errors.ts";

/** One step of a MeshNet, in order. */
export type MeshNetLayer =
  | {
      readonly kind: "convolution";
      readonly kernelSize: number;
      readonly dilation: number;
      readonly inChannels: number;
      readonly outChannels: number;
      /** TensorFlow's order: [k][k][k][inChannels][outChannels]. */
      readonly kernel: Float32Array;
      readonly bias: Float32Array;
    }
  | { readonly kind: "activation"; readonly name: "elu" | "relu" };

const JSON_LIMIT_BYTES = 2 ** 20;
const WEIGHTS_LIMIT_BYTES = 64 * 2 ** 20;

const Cube = (item: z.ZodType<number>) =>
  z
    .tuple([item, item, item])
    .refine(([a, b, c]) => a === b && b === c, "is the same along all three axes")
    .transform(([a]) => a);

const Inbound = z.array(z.array(z.tuple([z.string()], z.unknown())));

const Layer = z.discriminatedUnion("class_name", [
  z.object({ class_name: z.literal("InputLayer"), name: z.string() }),
  z.object({
    class_name: z.literal("Conv3D"),
    name: z.string(),
    inbound_nodes: Inbound,
    config: z.object({
      filters: z.int().min(1).max(512),
      kernel_size: Cube(z.int().min(1).max(7)).refine((size) => size % 2 === 1, "is odd"),
      strides: Cube(z.literal(1)),
      dilation_rate: Cube(z.int().min(1).max(64)),
      padding: z.literal("same"),
      data_format: z.literal("channels_last"),
      activation: z.literal("linear"),
      use_bias: z.literal(true),
    }),
  }),
  z.object({
    class_name: z.literal("Activation"),
    name: z.string(),
    inbound_nodes: Inbound,
    config: z.object({ activation: z.enum(["elu", "relu"]) }),
  }),
]);

const LayersModel = z.object({
  format: z.literal("layers-model"),
  modelTopology: z.object({ model_config: z.object({ config: z.object({ layers: z.array(Layer).min(2).max(128) }) }) }),
  weightsManifest: z.tuple([
    z.object({
      paths: z.tuple([z.string().regex(/^[\w-][\w.-]*$/, "a plain file name beside model.json")]),
      weights: z
        .array(
          z.object({
            name: z.string(),
            shape: z.array(z.int().min(1).max(4096)).min(1).max(5),
            dtype: z.literal("float32"),
            quantization: z.undefined().optional(),
          }),
        )
        .max(256),
    }),
  ]),
});

type LayersModel = z.infer<typeof LayersModel>;

/**
 * Reads a TensorFlow.js layers model that is a MeshNet: a plain chain of dilated 3D convolutions and activations on one
 * input channel.
 *
 * @throws ModelBundleError where a file is missing, of another kind, or not of the size that the model says
 */
export async function readMeshNet(folder: string): Promise<readonly MeshNetLayer[]> {
  const model = parseModel(await readLimited(folder, "model.json", JSON_LIMIT_BYTES));
  const [{ paths, weights }] = model.weightsManifest;
  const [file] = paths;
  const count = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);
  const values = weights.reduce((sum, { shape }) => sum + count(shape), 0);
  if (4 * values > WEIGHTS_LIMIT_BYTES)
    throw new ModelBundleError("model.json", `declares ${4 * values} bytes of weights, more than any MeshNet has.`);
  const bytes = await readLimited(folder, file, WEIGHTS_LIMIT_BYTES);
  if (bytes.byteLength !== 4 * values)
    throw new ModelBundleError(
      file,
      `is ${bytes.byteLength} bytes long where model.json needs ${4 * values}; fetch it again.`,
    );
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  let offset = 0;
  for (const { name, shape } of weights) {
    const end = offset + 4 * count(shape);
    tensors.set(name, { shape, data: new Float32Array(bytes.slice(offset, end).buffer) });
    offset = end;
  }
  return chain(model).map((layer): MeshNetLayer => {
    if (layer.class_name === "Activation") return { kind: "activation", name: layer.config.activation };
    const { kernel_size: kernelSize, dilation_rate: dilation, filters: outChannels } = layer.config;
    const kernel = tensors.get(`${layer.name}/kernel`);
    const inChannels = kernel?.shape[3] ?? 0;
    const bias = tensors.get(`${layer.name}/bias`);
    const expected = [kernelSize, kernelSize, kernelSize, inChannels, outChannels];
    if (kernel?.shape.join() !== expected.join() || bias?.shape.join() !== String(outChannels))
      throw new ModelBundleError("model.json", `the weights of layer "${layer.name}" are missing or of another shape.`);
    return { kind: "convolution", kernelSize, dilation, inChannels, outChannels, kernel: kernel.data, bias: bias.data };
  });
}

function parseModel(bytes: Uint8Array): LayersModel {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ModelBundleError("model.json", "is not JSON; fetch it again.", { cause });
  }
  const parsed = LayersModel.safeParse(document);
  if (parsed.success) return parsed.data;
  const reason = `is not a MeshNet as TensorFlow.js layers; use one of brainchop's:\n${z.prettifyError(parsed.error)}`;
  throw new ModelBundleError("model.json", reason, { cause: parsed.error });
}

/** The layers behind the input, each fed by the one before it, and channels that fit. */
function chain(model: LayersModel) {
  const [input, ...rest] = model.modelTopology.model_config.config.layers;
  const filters = rest.flatMap((layer) => (layer.class_name === "Conv3D" ? [layer.config.filters] : []));
  let previous = input?.name;
  const layers = rest.map((layer) => {
    if (layer.class_name === "InputLayer" || layer.inbound_nodes[0]?.[0]?.[0] !== previous)
      throw new ModelBundleError("model.json", `layer "${layer.name}" does not follow the one before it.`);
    previous = layer.name;
    return layer;
  });
  const shapes = new Map(model.weightsManifest[0].weights.map(({ name, shape }) => [name, shape]));
  let channels = 1;
  for (const [n, layer] of layers.filter(({ class_name }) => class_name === "Conv3D").entries()) {
    if (shapes.get(`${layer.name}/kernel`)?.[3] !== channels)
      throw new ModelBundleError(
        "model.json",
        `layer "${layer.name}" does not take the ${channels} channels it is given.`,
      );
    channels = filters[n] ?? 0;
  }
  return layers;
}

async function readLimited(folder: string, name: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const path = join(folder, name);
  const entry = await lstat(path).catch((cause: unknown) => {
    throw new ModelBundleError(name, "is not in the folder; name the one that holds model.json and its weights.", {
      cause,
    });
  });
  if (!entry.isFile() || entry.size > limit)
    throw new ModelBundleError(name, `is not a plain file of at most ${limit} bytes; fetch it again.`);
  return new Uint8Array(await readFile(path));
}
