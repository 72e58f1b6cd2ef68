import type { Vec3 } from "#converters/geometry/index.ts";
import type { EndpointAnswer } from "./answer.ts";

/** What one prompt comes to in one slice of the grid that was sent. */
export interface ClaimedSlice {
  /** 0 or 1; absent where empty. */
  readonly mask?: Uint8Array;
  /** round(255 p); only where asked for. */
  readonly probability?: Uint8Array;
}

export interface ClaimOptions {
  readonly size: Vec3;
  readonly prompts: number;
  /** Probability from which a voxel belongs to a prompt. */
  readonly threshold: number;
  readonly probabilities: boolean;
}

/**
 * Gathers the endpoint's answers so that each voxel belongs to one prompt at most: the one that is surest of it, and of
 * those that are equally sure (labels are all alike) the one that was asked first.
 */
export class Claims {
  readonly #options: ClaimOptions;
  /** 0: nobody; n: prompt n - 1. */
  readonly #owner: Uint16Array;
  /** How sure the owner is; absent while all owners are so for certain, as labels are. */
  #best: Float32Array | undefined;
  readonly #probability: readonly Uint8Array[];

  constructor(options: ClaimOptions) {
    const { size, prompts, probabilities } = options;
    const voxels = size[0] * size[1] * size[2];
    this.#options = options;
    this.#owner = new Uint16Array(voxels);
    this.#probability = probabilities ? Array.from({ length: prompts }, () => new Uint8Array(voxels)) : [];
  }

  /** @param members the prompts that were asked together, in the order of the request */
  add(answer: EndpointAnswer, members: readonly number[]): void {
    if (answer.form === "labels") {
      const { labels } = answer;
      for (let n = 0; n < labels.length; n++) {
        const label = labels[n]!;
        if (label > 0) this.#claim(n, members[label - 1]!, 1);
      }
      return;
    }
    if (this.#options.prompts > 1) this.#best ??= new Float32Array(this.#owner.length).fill(1);
    for (const [m, volume] of answer.volumes.entries()) {
      const prompt = members[m]!;
      for (let n = 0; n < volume.length; n++) if (volume[n]! > 0) this.#claim(n, prompt, volume[n]!);
    }
  }

  /** Slice k of every prompt. */
  slices(k: number): readonly ClaimedSlice[] {
    const { size, prompts } = this.#options;
    const pixels = size[0] * size[1];
    const masks = new Array<Uint8Array | undefined>(prompts).fill(undefined);
    for (let p = 0, n = k * pixels; p < pixels; p++, n++) {
      const owner = this.#owner[n]!;
      if (owner === 0) continue;
      const mask = masks[owner - 1] ?? new Uint8Array(pixels);
      masks[owner - 1] = mask;
      mask[p] = 1;
    }
    return masks.map((mask, prompt) => {
      const probability = this.#probability[prompt]?.slice(k * pixels, (k + 1) * pixels);
      return { ...(mask && { mask }), ...(probability && { probability }) };
    });
  }

  #claim(voxel: number, prompt: number, probability: number): void {
    const grey = this.#probability[prompt];
    if (grey) grey[voxel] = Math.round(255 * Math.min(1, probability));
    if (!(probability >= this.#options.threshold)) return;
    if (this.#owner[voxel] !== 0 && probability <= (this.#best?.[voxel] ?? 1)) return;
    if (this.#best) this.#best[voxel] = probability;
    this.#owner[voxel] = prompt + 1;
  }
}
