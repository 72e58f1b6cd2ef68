import { Tensor } from "onnxruntime-node";
import { type ClipTokenizer, TEXT_GRAPH } from "#models/index.ts";
import { type OnnxSession, outputOf } from "./onnx-runtime.ts";

/** What a text graph makes of one prompt: its tokens up to and including the end token. */
export interface PromptEmbedding {
  readonly tokens: number;
  /** [tokens, hiddenDim] */
  readonly values: Float32Array;
}

/** Texts that are remembered; of the real network each takes some 20 kB. */
const mostRemembered = 1000;

/** A bundle's text graph. It runs once for each text: the process lives no longer than the bundle stays the same. */
export class TextEncoder {
  readonly #session: OnnxSession;
  readonly #tokenizer: ClipTokenizer;
  readonly #sizes: { readonly contextLength: number; readonly hiddenDim: number };
  readonly #remembered = new Map<string, PromptEmbedding>();

  constructor(
    session: OnnxSession,
    tokenizer: ClipTokenizer,
    sizes: { readonly contextLength: number; readonly hiddenDim: number },
  ) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#sizes = sizes;
  }

  async embed(text: string): Promise<PromptEmbedding> {
    const known = this.#remembered.get(text);
    if (known) return known;
    const embedding = await this.embedTokens(this.#tokenizer.encode(text));
    if (this.#remembered.size >= mostRemembered) this.#remembered.clear();
    this.#remembered.set(text, embedding);
    return embedding;
  }

  /** @param ids start and end included, not padded */
  async embedTokens(ids: readonly number[]): Promise<PromptEmbedding> {
    const { contextLength, hiddenDim } = this.#sizes;
    const padded = new BigInt64Array(contextLength);
    for (const [n, id] of ids.entries()) padded[n] = BigInt(id);
    const inputs = { [TEXT_GRAPH.input.name]: new Tensor(TEXT_GRAPH.input.dtype, padded, [1, contextLength]) };
    const outputs = await this.#session.run(inputs);
    const values = outputOf(outputs, TEXT_GRAPH.output.name, Float32Array, contextLength * hiddenDim);
    return { tokens: ids.length, values: values.slice(0, ids.length * hiddenDim) };
  }
}
