import type { Attribute, OnnxModel, OnnxNode } from "../onnx/model.ts";
import { dataType, float32, int64, type OnnxTensor } from "../onnx/tensor.ts";

export const BRAIN_T1_INPUT = { name: "volume", dtype: "float32" } as const;
export const BRAIN_T1_OUTPUT = { name: "labels", dtype: "uint8" } as const;

/** Channels on each level, 2 mm first; as network.py has them. */
const WIDTHS = [16, 32, 64, 128, 160] as const;
const FEATURES = 32;
const CLASSES = 19;
const PHASES = 8;
/** The sides of what the levels see are multiples of this many 1 mm voxels. */
const MULTIPLE = 2 ** WIDTHS.length;
const NORM_EPSILON = 1e-5;
const LEAK = 0.01;

/** Name, shape and order of the weights: all that train.py decides. */
export function weightShapes(): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const convolution = (name: string, outputs: number, inputs: number, size: number) => {
    shapes.set(`${name}.conv`, [outputs, inputs, size, size, size]);
    shapes.set(`${name}.scale`, [outputs]);
    shapes.set(`${name}.shift`, [outputs]);
  };
  for (const [level, width] of WIDTHS.entries()) {
    convolution(`down.${level}.0`, width, level === 0 ? 1 : WIDTHS[level - 1]!, level === 0 ? 6 : 3);
    convolution(`down.${level}.1`, width, width, 3);
  }
  for (const [level, width] of WIDTHS.slice(0, -1).entries()) {
    shapes.set(`narrow.${level}.weight`, [width, WIDTHS[level + 1]!, 1, 1, 1]);
    shapes.set(`narrow.${level}.bias`, [width]);
    convolution(`up.${level}.0`, width, width, 3);
    convolution(`up.${level}.1`, level === 0 ? FEATURES : width, width, 3);
  }
  for (let phase = 0; phase < PHASES; phase++) shapes.set(`scores.${phase}.weight`, [CLASSES, FEATURES, 1, 1, 1]);
  shapes.set("scores.bias", [CLASSES]);
  return shapes;
}

/**
 * volume [1, 1, nk, nj, ni] (1 mm, any scale, 0 where nothing is) -> labels [1, nk, nj, ni].
 *
 * The network works on a grid of 2 mm cells: its first convolution has stride 2, and its last step gives eight sets of
 * class scores, one for each 1 mm voxel of a cell (a "phase"), one set after the other so that memory stays small. The
 * weights are float16; everything is computed in float32.
 */
export function brainT1Graph(
  weights: ReadonlyMap<string, OnnxTensor>,
  metadata: Readonly<Record<string, string>> = {},
): OnnxModel {
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const initializers: OnnxTensor[] = [];

  const add = (op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}, output?: string) => {
    const name = output ?? `${op}_${nodes.length}`;
    nodes.push({ op, inputs, outputs: [name], attributes });
    return name;
  };
  const constant = (tensor: OnnxTensor) => {
    constants.set(tensor.name, tensor);
    return tensor.name;
  };
  const ints = (...values: readonly number[]) => constant(int64(`ints_${values.join("_")}`, [values.length], values));
  const number = (value: number) => constant(float32(`number_${value}`, [], [value]));
  const weight = (name: string) => {
    const dims = weightShapes().get(name) ?? [];
    const tensor = weights.get(name);
    if (tensor?.dtype !== "float16" || tensor.dims.join() !== dims.join())
      throw new RangeError(`weight "${name}" float16[${dims.join(", ")}] is missing or another`);
    initializers.push({ name, dtype: "float16", dims, data: tensor.data });
    return add("Cast", [name], { to: { int: dataType("float32") } }, `${name} float32`);
  };
  const same = (size: number) => ({
    kernel_shape: { ints: [size, size, size] },
    pads: { ints: Array(6).fill((size - 1) / 2) },
  });
  const block = (name: string, from: string, shape: Record<string, Attribute>) => {
    const convolved = add("Conv", [from, weight(`${name}.conv`)], shape);
    const affine = [weight(`${name}.scale`), weight(`${name}.shift`)];
    const normal = add("InstanceNormalization", [convolved, ...affine], { epsilon: { float: NORM_EPSILON } });
    return add("LeakyRelu", [normal], { alpha: { float: LEAK } });
  };

  // The mean of what is brighter than the mean becomes 1.
  const bright = add("Cast", [add("Greater", [BRAIN_T1_INPUT.name, add("ReduceMean", [BRAIN_T1_INPUT.name])])], {
    to: { int: dataType("float32") },
  });
  const sum = add("ReduceSum", [add("Mul", [BRAIN_T1_INPUT.name, bright])]);
  const count = add("Max", [add("ReduceSum", [bright]), number(1)]);
  const level = add("Max", [add("Div", [sum, count]), number(1e-6)]);
  const scaled = add("Clip", [add("Div", [BRAIN_T1_INPUT.name, level]), number(0), number(3)]);

  const size = add("Shape", [BRAIN_T1_INPUT.name], { start: { int: 2 }, end: { int: 5 } });
  const missing = add("Mod", [add("Neg", [size]), ints(MULTIPLE)]);
  const pads = add("Concat", [ints(0, 0, 0, 0, 0, 0, 0), missing], { axis: { int: 0 } });
  let current = add("Pad", [scaled, pads]);

  const skips: string[] = [];
  for (let n = 0; n < WIDTHS.length; n++) {
    const stem = { kernel_shape: { ints: [6, 6, 6] }, strides: { ints: [2, 2, 2] }, pads: { ints: Array(6).fill(2) } };
    const halves = { kernel_shape: { ints: [2, 2, 2] }, strides: { ints: [2, 2, 2] } };
    if (n > 0) current = add("MaxPool", [current], halves);
    current = block(`down.${n}.0`, current, n === 0 ? stem : same(3));
    current = block(`down.${n}.1`, current, same(3));
    skips.push(current);
  }
  const twice = constant(float32("twice", [5], [1, 1, 2, 2, 2]));
  for (let n = WIDTHS.length - 2; n >= 0; n--) {
    const narrow = add("Conv", [current, weight(`narrow.${n}.weight`), weight(`narrow.${n}.bias`)], same(1));
    const wide = add("Resize", [narrow, "", twice], {
      mode: { string: "nearest" },
      coordinate_transformation_mode: { string: "asymmetric" },
      nearest_mode: { string: "floor" },
    });
    current = block(`up.${n}.0`, add("Add", [wide, skips[n]!]), same(3));
    current = block(`up.${n}.1`, current, same(3));
  }

  const bias = weight("scores.bias");
  const phases = Array.from({ length: PHASES }, (_, phase) => {
    const scores = add("Conv", [current, weight(`scores.${phase}.weight`), bias], same(1));
    return add("Cast", [add("ArgMax", [scores], { axis: { int: 1 } })], { to: { int: dataType("uint8") } });
  });
  // [1, 8, k, j, i] -> [2, 2, 2, k, j, i] -> [k, 2, j, 2, i, 2] -> [1, 2k, 2j, 2i]
  const together = add("Concat", phases, { axis: { int: 1 } });
  const cells = add("Shape", [together], { start: { int: 2 }, end: { int: 5 } });
  const split = add("Reshape", [together, add("Concat", [ints(2, 2, 2), cells], { axis: { int: 0 } })]);
  const woven = add("Transpose", [split], { perm: { ints: [3, 0, 4, 1, 5, 2] } });
  const whole = add("Concat", [ints(1), add("Mul", [cells, ints(2)])], { axis: { int: 0 } });
  const padded = add("Reshape", [woven, whole]);
  add("Slice", [padded, ints(0, 0, 0), size, ints(1, 2, 3)], {}, BRAIN_T1_OUTPUT.name);

  return {
    name: "brain-t1",
    opset: 20,
    inputs: [{ ...BRAIN_T1_INPUT, dims: [1, 1, "nk", "nj", "ni"] }],
    outputs: [{ ...BRAIN_T1_OUTPUT, dims: [1, "nk", "nj", "ni"] }],
    nodes,
    initializers: [...constants.values(), ...initializers],
    metadata,
  };
}
