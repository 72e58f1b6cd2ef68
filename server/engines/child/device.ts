import { Worker } from "node:worker_threads";
import { Tensor } from "onnxruntime-node";
import type { InstalledBundle } from "#models/index.ts";
import { ModelUnavailableError } from "../../domain/errors.ts";
import type { ProviderStatus } from "../engine-options.ts";
import { LeaseQueue } from "../lease-queue.ts";
import type { Load } from "../protocol.ts";
import { fromWire } from "../wire-error.ts";
import type { FromDevice, PlainTensor, ToDevice } from "./device-messages.ts";
import type { ImageModel } from "./image-model.ts";
import { MemoryShortage } from "./memory-shortage.ts";
import type { OnnxSession, Tensors } from "./onnx-runtime.ts";

/** A bundle's graphs, computed by a thread of this process. */
export interface Device {
  readonly provider: ProviderStatus;
  readonly text: OnnxSession;
  readonly image: ImageModel;
}

/**
 * Opens a bundle's graphs in a thread of their own. A run of onnxruntime blocks the thread that asks for it; this one goes
 * on meanwhile with what comes before and after, so that the device does not wait for it. What a look leaves in memory stays
 * with the device, and only one batch of slices is there at a time.
 * @throws ModelUnavailableError where the graphs do not load, GpuOutOfMemoryError
 */
export async function openDevice(opening: {
  readonly folder: string;
  readonly manifest: InstalledBundle["manifest"];
  readonly load: Load;
}): Promise<Device> {
  const thread = new DeviceThread(opening);
  const opened = await thread.ask({ kind: "open" });
  const queue = new LeaseQueue();
  const never = new AbortController().signal;
  return {
    provider: opened.provider,
    text: {
      run: async (inputs) => tensorsOf((await thread.ask({ kind: "text", inputs: plainOf(inputs) })).outputs),
      release: async () => {},
    },
    image: {
      looksOnce: opened.looksOnce,
      samples: opened.samples,
      turn: () => queue.acquire(never),
      async look(images, slices, questions) {
        const { view } = await thread.ask({ kind: "look", images, slices, questions });
        return {
          async ask(textTokens, seed) {
            const asked = {
              kind: "ask",
              view,
              textTokens: plain(textTokens),
              ...(seed !== undefined && { seed }),
            } as const;
            return tensorsOf((await thread.ask(asked)).outputs);
          },
          close: () => thread.tell({ kind: "close", view }),
        };
      },
    },
  };
}

type Answer<K extends ToDevice["kind"]> = Extract<FromDevice, { readonly kind: "answer"; readonly to: K }>;

/** Answers come in the order of the questions. */
class DeviceThread {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<FromDevice>[] = [];
  #fault: Error | undefined;

  constructor(workerData: unknown) {
    this.#worker = new Worker(new URL("./device-thread.ts", import.meta.url), { workerData });
    this.#worker.on("message", (message: FromDevice) => {
      const asked = this.#waiting.shift();
      if (message.kind === "answer") asked?.resolve(message);
      else asked?.reject(faultOf(message));
    });
    this.#worker.on("error", (cause) => this.#end(cause));
    this.#worker.on("exit", (code) => this.#end(new Error(`the thread ended with ${code}`)));
  }

  ask<K extends Exclude<ToDevice["kind"], "close">>(
    question: Extract<ToDevice, { readonly kind: K }>,
  ): Promise<Answer<K>> {
    if (this.#fault) return Promise.reject(this.#fault);
    const asked = Promise.withResolvers<FromDevice>();
    this.#waiting.push(asked);
    this.#worker.postMessage(question);
    return asked.promise as Promise<Answer<K>>;
  }

  tell(message: Extract<ToDevice, { readonly kind: "close" }>): void {
    if (!this.#fault) this.#worker.postMessage(message);
  }

  #end(cause: Error): void {
    this.#fault ??= new ModelUnavailableError("The thread that runs the network ended. Ask again.", { cause });
    for (const asked of this.#waiting.splice(0)) asked.reject(this.#fault);
  }
}

function faultOf({ error, isShortage }: Extract<FromDevice, { readonly kind: "failed" }>): Error {
  const told = fromWire(error);
  return isShortage ? new MemoryShortage(told as MemoryShortage["cause"]) : told;
}

function plainOf(tensors: Tensors): Readonly<Record<string, PlainTensor>> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, plain(tensor)]));
}

function plain({ type, data, dims }: Tensor): PlainTensor {
  if (type === "float32" || type === "int64") return { type, dims, data: data as Float32Array | BigInt64Array };
  throw new TypeError(`tensors of ${type} are not sent`);
}

function tensorsOf(tensors: Readonly<Record<string, PlainTensor>>): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)]),
  );
}
