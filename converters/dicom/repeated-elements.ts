import type { TextDecode } from "./character-set.ts";
import type { Value } from "./data-set.ts";
import type { Reading } from "./element-header.ts";

/** An element that was read, and what its reading depended on and settled. */
interface Known {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
  readonly before: Context;
  readonly after: Context;
  readonly key: string;
  readonly values: readonly Value[];
}

interface Context {
  readonly explicitVr: boolean;
  readonly littleEndian: boolean;
  readonly text: TextDecode;
  readonly signedPixels: boolean;
}

/**
 * The elements of a data set that may stand in the next one as they are, as most do in the images of a series: what is the
 * same byte for byte is not read again. Values are then shared between data sets.
 */
export interface RepeatedElements {
  /** Takes the element where the reading stands over into `dataSet`, and moves behind it; false where it is not known. */
  take(tag: number, reading: Reading, dataSet: Record<string, readonly Value[]>): boolean;
  /** Reads an element, and keeps it; `read` returns its key in `dataSet`, if any. */
  read(tag: number, reading: Reading, dataSet: Record<string, readonly Value[]>, read: () => string | undefined): void;
}

export function repeatedElements(): RepeatedElements {
  const known = new Map<number, Known>();
  return {
    take(tag, reading, dataSet) {
      const element = known.get(tag);
      if (element === undefined || !isContext(element.before, reading) || !standsAt(element, reading)) return false;
      dataSet[element.key] = element.values;
      reading.offset += element.length;
      reading.text = element.after.text;
      reading.signedPixels = element.after.signedPixels;
      return true;
    },
    read(tag, reading, dataSet, read) {
      const { bytes, offset: start } = reading;
      const before = contextOf(reading);
      const key = read();
      if (key === undefined) return;
      const length = reading.offset - start;
      known.set(tag, { bytes, start, length, before, after: contextOf(reading), key, values: dataSet[key]! });
    },
  };
}

function contextOf({ encoding: { explicitVr, littleEndian }, text, signedPixels }: Reading): Context {
  return { explicitVr, littleEndian, text, signedPixels };
}

function isContext(context: Context, { encoding, text, signedPixels }: Reading): boolean {
  return (
    context.text === text &&
    context.signedPixels === signedPixels &&
    context.explicitVr === encoding.explicitVr &&
    context.littleEndian === encoding.littleEndian
  );
}

function standsAt({ bytes: kept, start, length }: Known, { bytes, offset }: Reading): boolean {
  if (offset + length > bytes.length) return false;
  for (let n = 0; n < length; n++) if (bytes[offset + n] !== kept[start + n]) return false;
  return true;
}
