import { access, link, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureEnvironment, programOf, pythonEnvironment } from "../../test/fixtures/python-environment.ts";
import { openLineProcess } from "./line-process.ts";

/** As the prototype was measured, but for onnxruntime, which is of our own version. */
const environment = pythonEnvironment("venv-prototype", ["onnxruntime==1.30.0", "onnx==1.21.0", "numpy==2.4.6"]);

/** The first proof that the network can be run without PyTorch: another's graph of the same weights, in Python. */
export interface PrototypeProcess extends AsyncDisposable {
  /** Of onnxruntime. */
  readonly version: string;
  readonly secondsToOpen: number;
  /** Of one slice with so many prompts. */
  seconds(prompts: number): Promise<number>;
  peakMiB(): Promise<number>;
}

/** @returns why not, where the prototype or what it needs is not there */
export async function openPrototype({
  prototype,
  config,
  weights,
  threads,
}: {
  /** The folder of boltzformer_onnx.py. */
  readonly prototype: string;
  /** The golden data's full.json. */
  readonly config: string;
  /** A safetensors file; the graph is written into a folder beside it. */
  readonly weights: string;
  readonly threads: number;
}): Promise<PrototypeProcess | { readonly missing: string }> {
  for (const file of [join(prototype, "boltzformer_onnx.py"), config]) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (!isThere) return { missing: `${file} is not there` };
  }
  const failure = ensureEnvironment(environment);
  if (failure !== undefined) return { missing: failure.split("\n")[0]! };
  const work = join(weights, "..", "prototype");
  const linked = join(work, "weights.safetensors");
  await mkdir(work, { recursive: true });
  await rm(linked, { force: true });
  await link(weights, linked);
  const program = join(import.meta.dirname, "prototype_process.py");
  const python = await openLineProcess(programOf(environment, "python"), [
    program,
    prototype,
    config,
    linked,
    work,
    String(threads),
  ]);
  const [version = "", secondsToOpen] = python.greeting.split(" ");
  return {
    version,
    secondsToOpen: Number(secondsToOpen),
    seconds: async (prompts) => Number(await python.ask(`ask ${prompts}`)),
    peakMiB: async () => Number(await python.ask("peak")),
    [Symbol.asyncDispose]: () => python[Symbol.asyncDispose](),
  };
}
