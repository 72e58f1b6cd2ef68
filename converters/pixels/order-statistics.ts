import type { Voxels } from "../geometry/index.ts";

/**
 * The values that would stand at some ranks if the voxels were sorted, found exactly without sorting or copying: counts
 * in 65,536 bins of the value's leading 16 bits, then of the next 16 bits within the bin that holds the rank, and so on.
 * NaN and infinite voxels do not count.
 * @param positive whether only voxels above zero count
 * @param ranksOf the ranks asked for, from 0, given how many voxels count; not called where none does
 */
export function orderStatistics(
  voxels: Voxels,
  positive: boolean,
  ranksOf: (count: number) => readonly number[],
): { readonly count: number; readonly statistics: readonly number[] } {
  return voxels.BYTES_PER_ELEMENT <= 2
    ? narrowStatistics(voxels, positive, ranksOf)
    : wideStatistics(voxels, positive, ranksOf);
}

/** 8 and 16 bits: each value has a bin of its own. */
function narrowStatistics(voxels: Voxels, positive: boolean, ranksOf: (count: number) => readonly number[]) {
  const bytes = voxels.BYTES_PER_ELEMENT === 1;
  const { buffer, byteOffset, length } = voxels;
  const raw = bytes ? new Uint8Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
  const values = bytes ? 256 : 65536;
  const counts = new Uint32Array(values);
  for (let n = 0; n < raw.length; n++) counts[raw[n]!]!++;
  const lowest = voxels instanceof Int16Array || voxels instanceof Int8Array ? -values / 2 : 0;
  const bins = new Uint32Array(values);
  for (let bin = positive ? 1 - lowest : 0; bin < values; bin++) bins[bin] = counts[(bin + lowest) & (values - 1)]!;
  const count = total(bins);
  const statistics = count === 0 ? [] : ranksOf(count).map((rank) => find(bins, rank).bin + lowest);
  return { count, statistics };
}

/** 32 and 64 bits: a value is read as an unsigned number that sorts as it does, in 16-bit digits. */
function wideStatistics(voxels: Voxels, positive: boolean, ranksOf: (count: number) => readonly number[]) {
  const keys = keysOf(voxels, positive);
  const digits = voxels.BYTES_PER_ELEMENT / 2;
  const tallies = new Map<string, Uint32Array>();
  const tallyOf = (digit: number, high: number, low: number) => {
    const name = `${digit} ${high} ${low}`;
    const bins = tallies.get(name) ?? tally(keys, digit, high, low);
    tallies.set(name, bins);
    return bins;
  };
  const count = total(tallyOf(0, 0, 0));
  if (count === 0) return { count, statistics: [] };
  const statistics = ranksOf(count).map((rank) => {
    const prefix: [high: number, low: number] = [0, 0];
    let remaining = rank;
    for (let digit = 0; digit < digits; digit++) {
      const { bin, before } = find(tallyOf(digit, ...prefix), remaining);
      remaining -= before;
      prefix[digit < 2 ? 0 : 1] |= digit % 2 === 0 ? bin << 16 : bin;
    }
    return valueFrom(keys, ...prefix);
  });
  return { count, statistics };
}

/**
 * Key of a voxel whose leading word has the bits b: b ^ (b >> 31 & float | flip). It turns negative floats round and
 * moves the sign bit, so that unsigned keys sort as the values do.
 */
interface Keys {
  readonly words: Int32Array;
  /** Words in a voxel; the leading one comes last (little endian). */
  readonly perVoxel: number;
  readonly float: 0 | -1;
  readonly flip: number;
  /** The smallest and largest leading key that counts. */
  readonly least: number;
  readonly most: number;
  /** Whether the value zero, where `least` begins, is left out. */
  readonly aboveZero: boolean;
}

function keysOf(voxels: Voxels, positive: boolean): Keys {
  const perVoxel = voxels.BYTES_PER_ELEMENT / 4;
  const words = new Int32Array(voxels.buffer, voxels.byteOffset, voxels.length * perVoxel);
  const float = voxels instanceof Float32Array || voxels instanceof Float64Array ? -1 : 0;
  const flip = voxels instanceof Uint32Array ? 0 : 0x80000000;
  const exponent = perVoxel === 2 ? 0x00100000 : 0x00800000;
  const [least, most] = float ? [exponent, 0xffffffff - exponent] : [0, 0xffffffff];
  return { words, perVoxel, float, flip, least: positive ? flip : least, most, aboveZero: positive };
}

/** How many voxels that count, of those whose digits before this one are those of high and low, have each next digit. */
function tally(keys: Keys, digit: number, high: number, low: number): Uint32Array {
  const { words, perVoxel, float, flip, least, most, aboveZero } = keys;
  const bins = new Uint32Array(65536);
  const highMask = digit === 0 ? 0 : digit === 1 ? 0xffff0000 | 0 : -1;
  const lowMask = digit === 3 ? 0xffff0000 | 0 : 0;
  const shift = digit % 2 === 0 ? 16 : 0;
  for (let w = perVoxel - 1; w < words.length; w += perVoxel) {
    const bits = words[w]!;
    const lead = bits ^ (((bits >> 31) & float) | flip);
    if ((lead & highMask) !== (high & highMask)) continue;
    const key = lead >>> 0;
    if (key < least || key > most) continue;
    const tail = perVoxel === 2 ? words[w - 1]! ^ (bits >> 31) : 0;
    if (aboveZero && key === least && tail === 0) continue;
    if ((tail & lowMask) !== (low & lowMask)) continue;
    bins[((digit < 2 ? lead : tail) >>> shift) & 0xffff]!++;
  }
  return bins;
}

function valueFrom({ perVoxel, float, flip }: Keys, high: number, low: number): number {
  if (!float) return flip ? (high ^ flip) | 0 : high >>> 0;
  const negative = high >= 0;
  const view = new DataView(new ArrayBuffer(8));
  view.setInt32(0, negative ? ~high : high ^ flip);
  view.setInt32(4, negative ? ~low : low);
  return perVoxel === 2 ? view.getFloat64(0) : view.getFloat32(0);
}

/** The bin that holds the rank, and how many come before that bin. */
function find(bins: Uint32Array, rank: number): { bin: number; before: number } {
  let before = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    if (rank < before + bins[bin]!) return { bin, before };
    before += bins[bin]!;
  }
  throw new RangeError(`rank ${rank} of ${before}`);
}

function total(bins: Uint32Array): number {
  let sum = 0;
  for (const count of bins) sum += count;
  return sum;
}
