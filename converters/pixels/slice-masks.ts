import type { PlaneSize } from "./bicubic.ts";
import { layOut, roundUp } from "./resize-kernels.ts";
import { probabilityOf } from "./suppress.ts";
import { GROUP } from "./upsampled-rows.ts";
import { openUpsampler, type Upsampler } from "./upsampler.ts";

/** Masks of the prompts of one slice, a bit for each pixel, on the picture that their logits are upsampled to. */
export interface SliceMasks extends Pick<Upsampler, "load" | "greys"> {
  /** Prompt p's mask: where the logits that were loaded are above `cut`. @returns its pixels */
  cut(prompt: number, cut: number): number;
  /** Pixels that two masks share. */
  common(a: number, b: number): number;
  /**
   * Leaves each pixel that several of these masks share to the most probable of them, the first of those that are equal. Only
   * where masks meet are logits looked at again.
   * @param load loads a prompt's logits; all masks are cut at `cut`
   */
  separate(prompts: readonly number[], load: (prompt: number) => void, cut: number): void;
  /** 0 or 1 for each pixel, width fastest; good until the next call. */
  bytes(prompt: number): Uint8Array;
}

/** @param room for so many masks at a time; `separate`, for those that are to be separated */
export function openSliceMasks(
  from: PlaneSize,
  to: PlaneSize,
  { room: masks, separate }: { readonly room: number; readonly separate: boolean },
): SliceMasks {
  const [width, height] = to;
  const stride = roundUp(width, GROUP);
  const maskBytes = roundUp((stride / 8) * height, 16);
  const pixels = separate ? stride * height : 0;
  const parts = layOut({
    masks: maskBytes * masks,
    once: maskBytes,
    again: maskBytes,
    best: 4 * pixels,
    labels: 4 * pixels,
    bytes: width * height,
  });
  const upsampler = openUpsampler(from, to, parts.end);
  const { rows, room, load, greys } = upsampler;
  const { kernels, at, groups } = rows;
  const { buffer } = kernels.memory;
  const place = (part: keyof typeof parts) => room + parts[part];
  const maskAt = (prompt: number) => place("masks") + maskBytes * prompt;
  const bitsAt = (offset: number) => new Uint16Array(buffer, offset, maskBytes / 2);
  const [once, again] = [bitsAt(place("once")), bitsAt(place("again"))];
  const best = new Float32Array(buffer, place("best"), pixels);
  const labels = new Int32Array(buffer, place("labels"), pixels);
  const logits = new Float32Array(buffer, at.row, stride);
  const pictureOfBytes = new Uint8Array(buffer, place("bytes"), width * height);
  /** Of a row's last group, the bits that are pixels. */
  const lastBits = 0xffff >> (stride - width);
  const common = (a: number, b: number) => kernels.commonBits(maskAt(a), maskAt(b), maskBytes / 16);

  /** What lies beyond the row's end is not of the plane. */
  function clearEnd(bits: Uint16Array, y: number, end: number): void {
    if (end === groups) bits[y * groups + groups - 1]! &= lastBits;
  }

  /** Of each row in which the mask shares pixels, the groups where it does. */
  function sharedParts(mask: Uint16Array): readonly RowPart[] {
    const found: RowPart[] = [];
    for (let y = 0; y < height; y++) {
      let [first, end] = [0, 0];
      for (let group = 0, w = y * groups; group < groups; group++, w++) {
        if ((mask[w]! & again[w]!) === 0) continue;
        if (end === 0) first = group;
        end = group + 1;
      }
      if (end > 0) found.push({ y, first, end });
    }
    return found;
  }

  /** The same as the kernel, with the probabilities themselves. */
  function contendExactly({ y, first, end }: RowPart, cut: number, label: number): void {
    for (let x = GROUP * first, p = y * stride + x; x < GROUP * end; x++, p++) {
      const logit = logits[x]!;
      if (!(logit > cut)) continue;
      if (best[p] !== -Infinity && probabilityOf(best[p]!) >= probabilityOf(logit)) continue;
      best[p] = logit;
      labels[p] = label;
    }
  }

  return {
    load,
    greys,
    common,
    cut(prompt, cut) {
      const offset = maskAt(prompt);
      const bits = bitsAt(offset);
      bits.fill(0);
      rows.eachAbove(cut, (y, first, end) => {
        kernels.bitsAbove(at.row + 64 * first, offset + 2 * (y * groups + first), end - first, cut);
        clearEnd(bits, y, end);
      });
      return common(prompt, prompt);
    },
    separate(prompts, load, cut) {
      once.fill(0);
      again.fill(0);
      let any = 0;
      for (const prompt of prompts)
        any |= kernels.addBits(maskAt(prompt), once.byteOffset, again.byteOffset, maskBytes / 16);
      if (any === 0) return;
      const contenders = prompts.flatMap((prompt) => {
        const parts = sharedParts(bitsAt(maskAt(prompt)));
        return parts.length > 0 ? { prompt, parts } : [];
      });
      for (const { y, first, end } of contenders.flatMap(({ parts }) => parts)) {
        best.fill(-Infinity, y * stride + GROUP * first, y * stride + GROUP * end);
        labels.fill(0, y * stride + GROUP * first, y * stride + GROUP * end);
      }
      for (const { prompt, parts } of contenders) {
        load(prompt);
        rows.narrow(Math.min(...parts.map(({ first }) => first)), Math.max(...parts.map(({ end }) => end)));
        for (const part of parts) {
          const { y, first, end } = part;
          rows.make(y, first, end);
          const p = 4 * (y * stride + GROUP * first);
          const [bestAt, labelsAt] = [best.byteOffset + p, labels.byteOffset + p];
          const isUnsure = kernels.contend(at.row + 64 * first, bestAt, labelsAt, 4 * (end - first), cut, prompt + 1);
          if (isUnsure === 1) contendExactly(part, cut, prompt + 1);
        }
      }
      for (const { prompt, parts } of contenders) {
        const bits = bitsAt(maskAt(prompt));
        for (const { y, first, end } of parts) {
          const from = labels.byteOffset + 4 * (y * stride + GROUP * first);
          kernels.bitsEqual(from, bits.byteOffset + 2 * (y * groups + first), end - first, prompt + 1);
          clearEnd(bits, y, end);
        }
      }
    },
    bytes(prompt) {
      const { byteOffset } = pictureOfBytes;
      // A row that is no multiple of 16 writes beyond its end, where the next one is written after it.
      if (stride === width) kernels.bytesOfBits(maskAt(prompt), byteOffset, groups * height);
      else
        for (let y = 0; y < height; y++)
          kernels.bytesOfBits(maskAt(prompt) + 2 * y * groups, byteOffset + y * width, groups);
      return pictureOfBytes;
    },
  };
}

/** Of row y, groups of 16 pixels. */
interface RowPart {
  readonly y: number;
  readonly first: number;
  readonly end: number;
}
