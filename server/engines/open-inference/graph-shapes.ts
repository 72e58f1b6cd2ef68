import { type BundleManifest, IMAGE_GRAPH, TEXT_GRAPH } from "#models/index.ts";

/** Lengths of a tensor's axes; a letter stands for one that differs from run to run. */
type Shape = readonly (number | "S" | "P" | "L")[];

export interface TensorShape {
  readonly name: string;
  /** As the protocol spells them. Where there are several, the server's metadata says which. */
  readonly datatypes: readonly Datatype[];
  readonly shape: Shape;
  /** A graph may be without it. */
  readonly optional?: true;
}

export type Datatype = "INT64" | "FP32" | "UINT8";

/** What goes into a graph of a bundle and comes out of it. */
export interface GraphShapes {
  readonly inputs: readonly TensorShape[];
  readonly outputs: readonly TensorShape[];
}

/** The bundle contract in the protocol's words; P prompts, S slices, L tokens. */
export function graphShapes({ imageSize, maskStride, hiddenDim, contextLength, input }: BundleManifest): {
  readonly textEncoder: GraphShapes;
  readonly imageModel: GraphShapes;
} {
  const { image, textTokens, maskLogits, existenceLogits, edgeLogits } = IMAGE_GRAPH;
  const side = imageSize / maskStride;
  const float = ["FP32"] as const;
  return {
    textEncoder: {
      inputs: [{ name: TEXT_GRAPH.input.name, datatypes: ["INT64"], shape: ["P", contextLength] }],
      outputs: [{ name: TEXT_GRAPH.output.name, datatypes: float, shape: ["P", contextLength, hiddenDim] }],
    },
    imageModel: {
      inputs: [
        {
          name: image.name,
          // Grey levels that were rounded to bytes lose nothing as bytes, and are a quarter to send.
          datatypes: input.dtype === "uint8" ? ["FP32", "UINT8"] : float,
          shape: ["S", 3, imageSize, imageSize],
        },
        { name: textTokens.name, datatypes: float, shape: ["L", "P", hiddenDim] },
      ],
      outputs: [
        { name: maskLogits.name, datatypes: float, shape: ["S", "P", side, side] },
        { name: existenceLogits.name, datatypes: float, shape: ["S", "P"] },
        { name: edgeLogits.name, datatypes: float, shape: ["S", "P", side, side], optional: true },
      ],
    },
  };
}
