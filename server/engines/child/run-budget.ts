import { MemoryShortage } from "./memory-shortage.ts";

/** What is asked at once: slices of a look, and prompts of a question. */
export interface RunSize {
  readonly slices: number;
  readonly prompts: number;
}

/** Bytes for each pixel of a picture: of a look, and of a prompt on it. MedImageParse 3D needed so much on a CPU. */
const LOOK_BYTES = 2048;
const PROMPT_BYTES = 80;
/** Of free memory, the part that is taken: others need some, too. */
const USABLE = 0.8;

/**
 * How much a network is asked at once. It begins with what the engine thinks fits, and is halved where memory runs short, for
 * as long as the process lives: what did not fit once is not tried again.
 */
export class RunBudget {
  /**
   * As much as fits into free memory, for where a shortage is not told but ends the process, as Linux does it.
   * @param free bytes, after one slice was asked one prompt: what that took is the process' own already
   */
  static within(most: RunSize, free: number, { imageSize }: { readonly imageSize: number }): RunBudget {
    const pixels = imageSize * imageSize;
    const further = (bytes: number) => 1 + Math.max(0, Math.floor((USABLE * free) / bytes));
    const slices = Math.min(most.slices, further((LOOK_BYTES + PROMPT_BYTES) * pixels));
    const prompts = Math.min(most.prompts, further(PROMPT_BYTES * pixels * slices));
    const budget = new RunBudget({ slices, prompts });
    if (slices < most.slices || prompts < most.prompts) budget.#tell("There is little free memory");
    return budget;
  }

  #slices: number;
  #prompts: number;
  #told: string | undefined;

  /** @param slices of a look @param prompts of a question */
  constructor({ slices, prompts }: RunSize) {
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
    this.#tell("Memory ran short");
  }

  #tell(why: string): void {
    this.#told = `${why}: the network is asked for ${this.#prompts} prompt(s) on ${this.#slices} slice(s) at once from here on, which takes longer and changes no result.`;
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
