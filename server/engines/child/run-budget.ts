import { MemoryShortage } from "./memory-shortage.ts";

/**
 * How much a network is asked at once. It begins with what the engine thinks fits, and is halved where memory runs short, for
 * as long as the process lives: what did not fit once is not tried again.
 */
export class RunBudget {
  #slices: number;
  #prompts: number;
  #told: string | undefined;

  /** @param slices of a look @param prompts of a question */
  constructor({ slices, prompts }: { readonly slices: number; readonly prompts: number }) {
    this.#slices = slices;
    this.#prompts = prompts;
  }

  get slices(): number {
    return this.#slices;
  }

  get prompts(): number {
    return this.#prompts;
  }

  /** Where so many did not fit. @throws the error where one alone did not fit, and where it is another one */
  halve(what: "slices" | "prompts", tried: number, error: unknown): void {
    if (!(error instanceof MemoryShortage) || tried <= 1) throw error;
    const half = Math.ceil(tried / 2);
    if (what === "slices") this.#slices = Math.min(this.#slices, half);
    else this.#prompts = Math.min(this.#prompts, half);
    this.#told = `Memory ran short: the network is asked for ${this.#prompts} prompt(s) on ${this.#slices} slice(s) at once from here on, which takes longer and changes no result.`;
  }

  /** What the user should know of it, once. */
  takeNote(): string | undefined {
    const note = this.#told;
    this.#told = undefined;
    return note;
  }
}

/** Items in groups of at most so many, each as large as the others, but for one. */
export function inGroups<T>(items: readonly T[], most: number): readonly (readonly T[])[] {
  const groups = Math.ceil(items.length / most);
  const size = Math.ceil(items.length / Math.max(1, groups));
  return Array.from({ length: groups }, (_, n) => items.slice(n * size, (n + 1) * size));
}
