import { emptyLogits, type ImageLogits } from "./image-network.ts";

/** What an answer depends on, and nothing else: so it is the same whenever, and beside whatever, it is asked. */
export interface AnswerKey {
  /** Of the volume. */
  readonly volume: string;
  readonly window: string;
  /** The words that the network reads. */
  readonly text: string;
  /** Tokens that the prompt is filled up to. */
  readonly paddedTo: number;
}

/** The network's own numbers for one prompt on a whole volume: [planes, M, M] and [planes]. */
export type RememberedAnswer = ImageLogits;

/**
 * Answers that are kept so that asking again, with another threshold or beside other prompts, needs no network. They are
 * the network's logits on its own grid: exact, and a quarter of what 8-bit probabilities of 512 x 512 pixels take. The
 * oldest are forgotten where memory ends.
 */
export class AnswerMemory {
  readonly #limitBytes: number;
  readonly #answers = new Map<string, RememberedAnswer>();
  #bytes = 0;
  #reserved = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** @param edges whether the answer must tell edges */
  recall(key: AnswerKey, edges: boolean): RememberedAnswer | undefined {
    const name = nameOf(key);
    const answer = this.#answers.get(name);
    if (!answer || (edges && !answer.edges)) return undefined;
    this.#answers.delete(name);
    this.#answers.set(name, answer);
    return answer;
  }

  /** A new question: what an earlier one had set aside and never filled is free again. */
  startQuestion(): void {
    this.#reserved = 0;
  }

  /** An empty answer, to be filled slice by slice and then remembered; undefined where it would not fit beside this question's others. */
  blank(planes: number, maskPixels: number, edges: boolean): RememberedAnswer | undefined {
    const bytes = 4 * planes * (maskPixels * (edges ? 2 : 1) + 1);
    if (this.#reserved + bytes > this.#limitBytes) return undefined;
    this.#reserved += bytes;
    this.#forget(this.#reserved);
    return emptyLogits(planes, maskPixels, edges);
  }

  remember(key: AnswerKey, answer: RememberedAnswer): void {
    const name = nameOf(key);
    this.#drop(name);
    this.#forget(bytesOf(answer));
    this.#answers.set(name, answer);
    this.#bytes += bytesOf(answer);
  }

  /** Makes room for so many bytes. */
  #forget(bytes: number): void {
    for (const name of this.#answers.keys()) {
      if (this.#bytes + bytes <= this.#limitBytes) return;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    const answer = this.#answers.get(name);
    if (!answer) return;
    this.#answers.delete(name);
    this.#bytes -= bytesOf(answer);
  }
}

function nameOf({ volume, window, text, paddedTo }: AnswerKey): string {
  return JSON.stringify([volume, window, paddedTo, text]);
}

function bytesOf({ masks, existence, edges }: RememberedAnswer): number {
  return masks.byteLength + existence.byteLength + (edges?.byteLength ?? 0);
}
