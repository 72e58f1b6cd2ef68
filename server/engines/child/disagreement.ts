import type { ImageLogits } from "./image-network.ts";

/**
 * How far several draws of a sampling network differ: for each prompt 1 - the mean Dice overlap of every two draws' masks over
 * the whole volume, on the network's own grid. 0: all alike; 1: nothing in common. Two empty masks are alike. A draw's mask
 * in a slice is what it would have answered by itself, with neither merging nor upsampling: pixels above the mask threshold,
 * where the draw's existence is above its own.
 */
export class Disagreement {
  readonly #prompts: number;
  readonly #draws: number;
  readonly #cut: { readonly mask: number; readonly existence: number };
  /** [prompts, draws, draws]: pixels that both have; on the diagonal, that the one has. */
  readonly #shared: Float64Array;

  /** @param cut logits above which a pixel, and a prompt in a slice, are there */
  constructor(prompts: number, draws: number, cut: { readonly mask: number; readonly existence: number }) {
    this.#prompts = prompts;
    this.#draws = draws;
    this.#cut = cut;
    this.#shared = new Float64Array(prompts * draws * draws);
  }

  /** @param draws one answer for each, of `slices` slices */
  take(draws: readonly ImageLogits[], slices: number): void {
    const pixels = draws[0]!.masks.length / (slices * this.#prompts);
    const bits = new Uint32Array(pixels);
    for (let slice = 0; slice < slices; slice++) {
      for (let prompt = 0; prompt < this.#prompts; prompt++) {
        const place = slice * this.#prompts + prompt;
        bits.fill(0);
        for (const [draw, { masks, existence }] of draws.entries()) {
          if (!(existence[place]! > this.#cut.existence)) continue;
          const logits = masks.subarray(place * pixels, (place + 1) * pixels);
          for (let p = 0; p < pixels; p++) if (logits[p]! > this.#cut.mask) bits[p]! |= 1 << draw;
        }
        this.#count(bits, prompt * this.#draws ** 2);
      }
    }
  }

  /** One number, 0 to 1, for each prompt. */
  result(): readonly number[] {
    const n = this.#draws;
    return Array.from({ length: this.#prompts }, (_, prompt) => {
      const at = (a: number, b: number) => this.#shared[prompt * n * n + a * n + b]!;
      let sum = 0;
      for (let a = 0; a < n; a++) {
        for (let b = a + 1; b < n; b++) {
          const both = at(a, a) + at(b, b);
          sum += both === 0 ? 1 : (2 * at(a, b)) / both;
        }
      }
      return n < 2 ? 0 : Math.min(1, Math.max(0, 1 - sum / ((n * (n - 1)) / 2)));
    });
  }

  /** Pixels that all draws agree on not to have are most of them, and cost one comparison. */
  #count(bits: Uint32Array, base: number): void {
    const n = this.#draws;
    for (let p = 0; p < bits.length; p++) {
      const set = bits[p]!;
      if (set === 0) continue;
      for (let a = 0; a < n; a++) {
        if ((set & (1 << a)) === 0) continue;
        for (let b = a; b < n; b++) if ((set & (1 << b)) !== 0) this.#shared[base + a * n + b]!++;
      }
    }
  }
}
