import { TEXT_GRAPH } from "../contract.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { dataType, float32, int64 } from "../onnx/tensor.ts";
import type { Lexicon } from "./lexicon.ts";

/** input_ids [P, contextLength] -> token_embeddings [P, contextLength, features]: for each token, 1 at its feature. */
export function textGraph({ features, featureOfToken }: Lexicon, contextLength: number): OnnxModel {
  const { input, output } = TEXT_GRAPH;
  return {
    name: "density-ct text encoder",
    opset: 20,
    inputs: [{ ...input, dims: ["P", contextLength] }],
    outputs: [{ ...output, dims: ["P", contextLength, features] }],
    nodes: [
      { op: "Gather", inputs: ["feature_of_token", input.name], outputs: ["feature_byte"] },
      { op: "Cast", inputs: ["feature_byte"], outputs: ["feature"], attributes: { to: { int: dataType("int64") } } },
      { op: "OneHot", inputs: ["feature", "features", "off_on"], outputs: [output.name] },
    ],
    initializers: [
      { name: "feature_of_token", dtype: "uint8", dims: [featureOfToken.length], data: featureOfToken },
      int64("features", [], [features]),
      float32("off_on", [2], [0, 1]),
    ],
  };
}
