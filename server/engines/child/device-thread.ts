import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { Tensor } from "onnxruntime-node";
import type { InstalledBundle } from "#models/index.ts";
import type { Load } from "../protocol.ts";
import { toWire } from "../wire-error.ts";
import type { FromDevice, PlainTensor, ToDevice } from "./device-messages.ts";
import { type ImageModel, type ImageView, openImageModel } from "./image-model.ts";
import { MemoryShortage } from "./memory-shortage.ts";
import { type OnnxRuntime, type OnnxSession, openOnnxRuntime, type Tensors } from "./onnx-runtime.ts";

/** The thread that holds a bundle's graphs and runs them, one question after the other. device.ts is its other side. */
if (!parentPort) throw new Error("device-thread.ts runs as a worker thread");
const port = parentPort;
const { folder, manifest, load } = workerData as {
  readonly folder: string;
  readonly manifest: InstalledBundle["manifest"];
  readonly load: Load;
};

let graphs: { readonly text: OnnxSession; readonly image: ImageModel } | undefined;
const views = new Map<number, ImageView>();
let viewsSoFar = 0;

const messages: ToDevice[] = [];
let isBusy = false;
port.on("message", (message: ToDevice) => {
  messages.push(message);
  if (!isBusy) void answerAll();
});

async function answerAll(): Promise<void> {
  isBusy = true;
  for (let message = messages.shift(); message; message = messages.shift()) {
    try {
      const reply = await answer(message);
      if (reply) port.postMessage(reply);
    } catch (error) {
      port.postMessage({
        kind: "failed",
        error: toWire(error),
        isShortage: error instanceof MemoryShortage,
      } satisfies FromDevice);
    }
  }
  isBusy = false;
}

async function answer(message: ToDevice): Promise<FromDevice | undefined> {
  if (message.kind === "open") return open();
  if (!graphs) throw new Error("the graphs are not open");
  switch (message.kind) {
    case "text": {
      const inputs = Object.entries(message.inputs).map(([name, tensor]) => [name, tensorOf(tensor)] as const);
      return { kind: "answer", to: "text", outputs: plainOf(await graphs.text.run(Object.fromEntries(inputs))) };
    }
    case "look": {
      // All words were read: their graph's memory is for the pictures.
      await graphs.text.release();
      const view = ++viewsSoFar;
      views.set(view, await graphs.image.look(message.images, message.slices, message.questions));
      return { kind: "answer", to: "look", view };
    }
    case "ask": {
      const view = views.get(message.view);
      if (!view) throw new Error("the view is closed");
      const outputs = await view.ask(tensorOf(message.textTokens), message.seed);
      return { kind: "answer", to: "ask", outputs: plainOf(outputs) };
    }
    case "close":
      views.get(message.view)?.close();
      views.delete(message.view);
      return undefined;
    default:
      return message satisfies never;
  }
}

/** On a CPU, a session that is opened for a run and may be released after any. */
function briefSession(runtime: OnnxRuntime, graphFile: string): OnnxSession {
  let session: OnnxSession | undefined;
  return {
    async run(inputs) {
      session ??= await runtime.open(graphFile, { briefly: true });
      return session.run(inputs);
    },
    async release() {
      if (runtime.provider.actual !== "cpu") return;
      await session?.release();
      session = undefined;
    },
  };
}

async function open(): Promise<FromDevice> {
  const runtime = await openOnnxRuntime(load);
  const text = briefSession(runtime, join(folder, manifest.files.textEncoder.name));
  const image = await openImageModel(runtime, folder, manifest);
  graphs = { text, image };
  const { looksOnce, samples } = image;
  return { kind: "answer", to: "open", provider: runtime.provider, looksOnce, samples };
}

function tensorOf({ type, data, dims }: PlainTensor): Tensor {
  return new Tensor(type, data, dims);
}

/** What leaves the thread is copied once: onnxruntime's own memory cannot be handed over. */
function plainOf(tensors: Tensors): Readonly<Record<string, PlainTensor>> {
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, { type, data, dims }]) =>
      type === "float32" || type === "int64"
        ? [[name, { type, dims, data: data as Float32Array | BigInt64Array }] as const]
        : [],
    ),
  );
}
