import { IMAGE_GRAPH } from "../contract.ts";
import type { OnnxModel, OnnxNode } from "../onnx/model.ts";
import { dataType, float32, int64, type OnnxTensor } from "../onnx/tensor.ts";
import { type Lexicon, NEUTRAL } from "./lexicon.ts";
import {
  DENSITY_RULES,
  EXISTENCE_LOGIT_LIMIT,
  EXISTENCE_PIXELS,
  levelsOf,
  MASK_LOGIT_LIMIT,
  MASK_LOGIT_SLOPE,
} from "./rules.ts";

/** The empty range: above every grey level, and below it. */
const NO_RANGE = [1e4, -1e4] as const;

/**
 * Finds the phrase whose bag of word pieces is exactly the prompt's, takes its rule's range of grey levels (an empty one
 * where no phrase fits), and asks of every pixel of the current slice how deep inside the range it lies.
 */
export function imageGraph(lexicon: Lexicon, imageSize: number): OnnxModel {
  const { image, textTokens, maskLogits, existenceLogits } = IMAGE_GRAPH;
  return {
    name: "density-ct image model",
    opset: 20,
    inputs: [
      { ...image, dims: ["S", 3, imageSize, imageSize] },
      { ...textTokens, dims: ["L", "P", lexicon.features] },
    ],
    outputs: [
      { ...maskLogits, dims: ["S", "P", imageSize, imageSize] },
      { ...existenceLogits, dims: ["S", "P"] },
    ],
    nodes: [...rangeOfPrompt(textTokens.name), ...maskOfRange(image.name, maskLogits.name), ...existence()],
    initializers: constants(lexicon),
  };

  function existence(): readonly OnnxNode[] {
    return [
      { op: "Greater", inputs: [maskLogits.name, "zero"], outputs: ["is_inside"] },
      { op: "Cast", inputs: ["is_inside"], outputs: ["inside"], attributes: { to: { int: dataType("float32") } } },
      { op: "ReduceSum", inputs: ["inside", "axes_2_3"], outputs: ["pixels"], attributes: { keepdims: { int: 0 } } },
      { op: "Sub", inputs: ["pixels", "existence_pixels"], outputs: ["pixels_beyond"] },
      { op: "Add", inputs: ["pixels", "existence_pixels"], outputs: ["pixels_scale"] },
      { op: "Div", inputs: ["pixels_beyond", "pixels_scale"], outputs: ["existence_ratio"] },
      { op: "Mul", inputs: ["existence_ratio", "existence_limit"], outputs: [existenceLogits.name] },
    ];
  }
}

/** text_tokens [L, P, H] -> range_from, range_to [1, P, 1, 1], in grey levels, half a level outside the included ones. */
function rangeOfPrompt(textTokens: string): readonly OnnxNode[] {
  const flat = { keepdims: { int: 0 } } as const;
  return [
    { op: "ReduceSum", inputs: [textTokens, "axis_0"], outputs: ["bag"], attributes: flat },
    { op: "Unsqueeze", inputs: ["bag", "axis_1"], outputs: ["bag_by_phrase"] },
    { op: "Sub", inputs: ["bag_by_phrase", "phrase_bags"], outputs: ["bag_difference"] },
    { op: "Abs", inputs: ["bag_difference"], outputs: ["bag_distance"] },
    { op: "Mul", inputs: ["bag_distance", "feature_counts"], outputs: ["counted_distance"] },
    { op: "ReduceSum", inputs: ["counted_distance", "axis_2"], outputs: ["distance"], attributes: flat },
    { op: "Sub", inputs: ["one", "distance"], outputs: ["nearness"] },
    { op: "Relu", inputs: ["nearness"], outputs: ["phrase"] },
    { op: "MatMul", inputs: ["phrase", "rule_of_phrase"], outputs: ["rule"] },
    { op: "MatMul", inputs: ["rule", "range_of_rule"], outputs: ["range_beyond_none"] },
    { op: "Add", inputs: ["range_beyond_none", "no_range"], outputs: ["range"] },
    {
      op: "Split",
      inputs: ["range"],
      outputs: ["from_column", "to_column"],
      attributes: { axis: { int: 1 }, num_outputs: { int: 2 } },
    },
    { op: "Unsqueeze", inputs: ["from_column", "axes_0_3"], outputs: ["range_from"] },
    { op: "Unsqueeze", inputs: ["to_column", "axes_0_3"], outputs: ["range_to"] },
  ];
}

/** image [S, 3, N, N] and the range -> mask_logits [S, P, N, N]. */
function maskOfRange(image: string, maskLogits: string): readonly OnnxNode[] {
  return [
    { op: "Slice", inputs: [image, "slice_0", "slice_1", "axis_1"], outputs: ["current"] },
    { op: "Sub", inputs: ["current", "range_from"], outputs: ["above_from"] },
    { op: "Sub", inputs: ["range_to", "current"], outputs: ["below_to"] },
    { op: "Min", inputs: ["above_from", "below_to"], outputs: ["depth"] },
    { op: "Mul", inputs: ["depth", "mask_slope"], outputs: ["steep_depth"] },
    { op: "Clip", inputs: ["steep_depth", "mask_lowest", "mask_highest"], outputs: [maskLogits] },
  ];
}

function constants({ features, phrases }: Lexicon): readonly OnnxTensor[] {
  const ranges = DENSITY_RULES.flatMap((rule) => {
    const { lowest, highest } = levelsOf(rule);
    return [lowest - 0.5 - NO_RANGE[0], highest + 0.5 - NO_RANGE[1]];
  });
  const ruleOfPhrase = phrases.flatMap(({ rule }) => DENSITY_RULES.map((_, n) => (n === rule ? 1 : 0)));
  const counts = Array.from({ length: features }, (_, feature) => (feature === NEUTRAL ? 0 : 1));
  const scalars = {
    zero: 0,
    one: 1,
    mask_slope: MASK_LOGIT_SLOPE,
    mask_lowest: -MASK_LOGIT_LIMIT,
    mask_highest: MASK_LOGIT_LIMIT,
    existence_pixels: EXISTENCE_PIXELS,
    existence_limit: EXISTENCE_LOGIT_LIMIT,
  };
  return [
    float32(
      "phrase_bags",
      [1, phrases.length, features],
      phrases.flatMap(({ bag }) => bag),
    ),
    float32("feature_counts", [features], counts),
    float32("rule_of_phrase", [phrases.length, DENSITY_RULES.length], ruleOfPhrase),
    float32("range_of_rule", [DENSITY_RULES.length, 2], ranges),
    float32("no_range", [2], NO_RANGE),
    ...Object.entries(scalars).map(([name, value]) => float32(name, [], [value])),
    int64("axis_0", [1], [0]),
    int64("axis_1", [1], [1]),
    int64("axis_2", [1], [2]),
    int64("axes_2_3", [2], [2, 3]),
    int64("axes_0_3", [2], [0, 3]),
    int64("slice_0", [1], [0]),
    int64("slice_1", [1], [1]),
  ];
}
