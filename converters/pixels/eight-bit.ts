import type { Voxels } from "../geometry/index.ts";

/**
 * The voxels as grey levels where they are such already: every value whole and within 0..255 (or no finite number, which
 * becomes 0), and the brighter half in use. Undefined where they still have to be windowed. A Uint8Array is returned as it is, not copied.
 */
export function asGreyLevels(voxels: Voxels): Uint8Array | undefined {
  let largest = 0;
  const block = new Float64Array(4096);
  for (let start = 0; start < voxels.length; start += block.length) {
    const count = Math.min(block.length, voxels.length - start);
    block.set(voxels.subarray(start, start + count));
    for (let b = 0; b < count; b++) {
      const value = block[b]!;
      if (!(value >= 0 && value <= 255) || value !== (value | 0)) {
        if (Number.isFinite(value)) return undefined;
        continue;
      }
      if (value > largest) largest = value;
    }
  }
  if (largest < 128) return undefined;
  return voxels instanceof Uint8Array ? voxels : new Uint8Array(voxels);
}
