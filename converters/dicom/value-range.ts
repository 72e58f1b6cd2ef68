/** The smallest of the values from `start` up to, not including, `end`. */
export function smallestOf(values: Int16Array | Float32Array, start = 0, end = values.length): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let n = start; n < end; n++) if (values[n]! < smallest) smallest = values[n]!;
  return smallest;
}
