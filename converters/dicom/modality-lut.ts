import { type DataSet, firstText, items, numbers, type Value } from "./data-set.ts";
import { InstanceFault } from "./image-frame.ts";
import type { LookupTable } from "./real-world-values.ts";

/** The Modality LUT of an image (PS3.3 section C.11.1): in place of a slope and an intercept. */
export interface ModalityLut {
  readonly table: LookupTable;
  /** Modality LUT Type (0028,3004): "HU", "US" (unspecified), ... */
  readonly type: string;
}

/**
 * @param signed whether stored values are: the first of them is named in their own sign (PS3.3 section C.11.1.1.1)
 * @returns undefined where the image has none
 * @throws InstanceFault where the table is not one, or there is a slope beside it
 */
export function modalityLut(dataSet: DataSet, signed: boolean): ModalityLut | undefined {
  const sequence = dataSet.ModalityLUTSequence;
  const [item] = items(dataSet, "ModalityLUTSequence");
  if (sequence === undefined || item === undefined) return undefined;
  if (dataSet.RescaleSlope !== undefined) {
    throw fault("has a lookup table (Modality LUT Sequence) and a Rescale Slope, of which only one can be right");
  }
  const known = KNOWN.get(sequence) ?? {
    table: readTable(item, signed),
    type: firstText(item, "ModalityLUTType") ?? "US",
  };
  KNOWN.set(sequence, known);
  return known;
}

/** Frames of one image share what was read of its table. */
const KNOWN = new WeakMap<readonly Value[], ModalityLut>();

function readTable(item: DataSet, signed: boolean): LookupTable {
  const [count = 0, first = 0, bits = 0] = numbers(item, "LUTDescriptor").map((word) => word & 0xffff);
  const values = entries(item.LUTData ?? [], count || 65_536);
  if (values === undefined || numbers(item, "LUTDescriptor").length !== 3 || bits < 8 || bits > 16) {
    throw fault("has a lookup table (Modality LUT Sequence) that is not as long as it says");
  }
  return { first: signed && first > 0x7fff ? first - 0x10000 : first, values };
}

/** They are unsigned: words, or bytes in words, or bytes close together. */
function entries([data, ...more]: readonly Value[], count: number): ArrayLike<number> | undefined {
  if (typeof data === "number") {
    return more.length + 1 === count ? Uint16Array.from([data, ...(more as readonly number[])]) : undefined;
  }
  if (!(data instanceof Uint8Array)) return undefined;
  if (data.length === count * 2) return new Uint16Array(data.slice().buffer);
  return data.length === count + (count & 1) ? data.slice(0, count) : undefined;
}

function fault(problem: string): InstanceFault {
  return new InstanceFault("unreadable-instance", problem, "Export the series again from its source.");
}
