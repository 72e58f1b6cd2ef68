import type { Graph, Value } from "./graph.ts";
import { add, convolution } from "./layers.ts";
import { PIXEL_DECODER } from "./network-tensors.ts";
import type { FeatureMap } from "./pixel-decoder.ts";

/*
 * A mask is the product of a query's vector e with the mask features W * y + b: a 3 x 3 convolution of the finest map. That
 * convolution is the largest of the whole network, and its full result is never needed. The attention masks want it at the
 * coarse grids only, and the result wants its product with two vectors a prompt; both are linear, so the order can be turned.
 */

const MASK_FEATURES = `${PIXEL_DECODER}.mask_features`;
const KERNEL_SIDE = 3;
const KERNEL_CELLS = KERNEL_SIDE ** 2;

/**
 * Mask features resized bilinearly (half-pixel centres, no antialias) to grids of `sides`, each [S, C, side * side]. The
 * resize takes the mean of the four pixels around a cell's centre, so the convolution is made of such means, and only there.
 */
export function coarseMaskFeatures(graph: Graph, finest: FeatureMap, sides: readonly number[]): readonly Value[] {
  const { hiddenDim } = graph.weights.config;
  const meansOfFour = graph.op("AveragePool", [finest.map], {
    kernel_shape: { ints: [2, 2] },
    strides: { ints: [1, 1] },
    pads: { ints: [1, 1, 1, 1] },
    count_include_pad: { int: 1 },
  });
  return sides.map((side) => {
    const stride = finest.side / side;
    const first = stride / 2 - 1;
    const end = finest.side + 1;
    const axes = graph.ints(2, 3);
    const around =
      first === 0
        ? meansOfFour
        : graph.op("Slice", [meansOfFour, graph.ints(first, first), graph.ints(end, end), axes]);
    const features = convolution(graph, around, MASK_FEATURES, { side: KERNEL_SIDE, stride, padding: 0, bias: true });
    return graph.op("Reshape", [features, graph.ints(0, hiddenDim, -1)]);
  });
}

/**
 * Products of vectors [S, V, C] with the mask features at full size: [S, V, side, side]. Each vector makes nine 1 x 1 kernels
 * of the convolution's; their maps are shifted to their places and summed.
 *
 * @param slices S as a shape of one dimension
 */
export function maskLogits(graph: Graph, finest: FeatureMap, vectors: Value, slices: Value): Value {
  const { hiddenDim } = graph.weights.config;
  const { map, side } = finest;
  const byCell = graph.channelsLastWeight(`${MASK_FEATURES}.weight`);
  const weight = graph.op("Reshape", [byCell, graph.ints(hiddenDim, KERNEL_CELLS * hiddenDim)]);
  const kernels = graph.op("Reshape", [graph.op("MatMul", [vectors, weight]), graph.ints(0, -1, hiddenDim)]);
  const pixels = graph.op("Reshape", [map, graph.ints(0, hiddenDim, side * side)]);
  const cells = graph.op("Reshape", [graph.op("MatMul", [kernels, pixels]), graph.ints(-1, KERNEL_CELLS, side, side)]);
  const shifts = graph.constant("shifts", [1, KERNEL_CELLS, KERNEL_SIDE, KERNEL_SIDE], () =>
    Float32Array.from({ length: KERNEL_CELLS ** 2 }, (_, n) => (n % (KERNEL_CELLS + 1) === 0 ? 1 : 0)),
  );
  const summed = graph.op("Conv", [cells, shifts], { pads: { ints: [1, 1, 1, 1] } });
  const shape = graph.op("Concat", [slices, graph.ints(-1, side, side)], { axis: { int: 0 } });
  const bias = graph.op("MatMul", [vectors, graph.weight(`${MASK_FEATURES}.bias`)]);
  return add(graph, graph.op("Reshape", [summed, shape]), graph.op("Unsqueeze", [bias, graph.ints(2, 3)]));
}
