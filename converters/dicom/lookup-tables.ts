import type { LookupTable } from "./real-world-values.ts";

/**
 * Values that are stored values still, looked up in the table of their slice; those of slices without a table stay.
 *
 * @param values slice after slice; used up
 * @returns Float32Array where any slice has a table, else `values`
 */
export function lookUp(
  values: Int16Array | Float32Array,
  slices: readonly { readonly table?: LookupTable | undefined }[],
): Int16Array | Float32Array {
  if (slices.every(({ table }) => table === undefined)) return values;
  const out = values instanceof Float32Array ? values : Float32Array.from(values);
  const perSlice = values.length / slices.length;
  for (const [k, { table }] of slices.entries()) {
    if (table === undefined) continue;
    const { first, values: entries } = table;
    const last = entries.length - 1;
    for (let n = k * perSlice; n < (k + 1) * perSlice; n++) {
      out[n] = entries[Math.min(Math.max(out[n]! - first, 0), last)]!;
    }
  }
  return out;
}
