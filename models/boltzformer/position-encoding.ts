import type { Graph, Value } from "./graph.ts";

const TEMPERATURE = 10_000;
const EPSILON = 1e-6;

/**
 * DETR's sine encoding of a grid's positions, [1, side * side, channels]: the first half of the channels tells the row, the
 * second the column.
 */
export function positionEncoding(graph: Graph, side: number, channels: number): Value {
  const half = channels / 2;
  const name = `position_${side}`;
  const grid = graph.ints(side, side, half);
  const rows = graph.constant(`${name}_row`, [side, 1, half], () => sineCode(side, half));
  const columns = graph.constant(`${name}_column`, [1, side, half], () => sineCode(side, half));
  const expanded = [rows, columns].map((code) => graph.op("Expand", [code, grid]));
  return graph.op("Reshape", [graph.op("Concat", expanded, { axis: { int: -1 } }), graph.ints(1, -1, channels)]);
}

/** Coordinates 1 to `count`, as a share of `count`, times 2 pi; sine in even channels and cosine in odd ones. */
export function sineCode(count: number, channels: number): Float32Array {
  return Float32Array.from({ length: count * channels }, (_, n) => {
    const channel = n % channels;
    const coordinate = ((Math.floor(n / channels) + 1) / (count + EPSILON)) * 2 * Math.PI;
    const angle = coordinate / TEMPERATURE ** ((2 * Math.floor(channel / 2)) / channels);
    return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}
