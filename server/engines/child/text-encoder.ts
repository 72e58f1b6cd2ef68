import { Tensor } from "onnxruntime-node";
import { type ClipTokenizer, TEXT_GRAPH } from "#models/index.ts";
import { type OnnxSession, outputOf } from "./onnx-runtime.ts";
import { inGroups } from "./run-budget.ts";

/** What a text graph makes of one prompt: its tokens up to and including the end token. */
export interface PromptEmbedding {
  readonly tokens: number;
  /** [tokens, hiddenDim] */
  readonly values: Float32Array;
}

/** Texts that are remembered; of the real network each takes some 20 kB. */
const mostRemembered = 1000;
/** Texts of one run. */
const mostTextsPerRun = 16;

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
    const [embedding] = await this.embedAll([text]);
    return embedding!;
  }

  /** In the order of the texts; those that are not known yet go through the graph together. */
  async embedAll(texts: readonly string[]): Promise<readonly PromptEmbedding[]> {
    if (this.#remembered.size + texts.length > mostRemembered) this.#remembered.clear();
    const unknown = [...new Set(texts)].filter((text) => !this.#remembered.has(text));
    for (const some of inGroups(unknown, mostTextsPerRun)) {
      const embeddings = await this.embedTokens(some.map((text) => this.#tokenizer.encode(text)));
      for (const [n, text] of some.entries()) this.#remembered.set(text, embeddings[n]!);
    }
    return texts.map((text) => this.#remembered.get(text)!);
  }

  /** @param prompts ids of each, start and end included, not padded */
  async embedTokens(prompts: readonly (readonly number[])[]): Promise<readonly PromptEmbedding[]> {
    const { contextLength, hiddenDim } = this.#sizes;
    const padded = new BigInt64Array(prompts.length * contextLength);
    for (const [p, ids] of prompts.entries()) {
      for (const [n, id] of ids.entries()) padded[p * contextLength + n] = BigInt(id);
    }
    const input = new Tensor(TEXT_GRAPH.input.dtype, padded, [prompts.length, contextLength]);
    const outputs = await this.#session.run({ [TEXT_GRAPH.input.name]: input });
    const row = contextLength * hiddenDim;
    const values = outputOf(outputs, TEXT_GRAPH.output.name, Float32Array, prompts.length * row);
    return prompts.map((ids, p) => ({
      tokens: ids.length,
      values: values.slice(p * row, p * row + ids.length * hiddenDim),
    }));
  }
}
