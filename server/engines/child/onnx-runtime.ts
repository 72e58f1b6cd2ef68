import { InferenceSession, Tensor } from "onnxruntime-node";
import { GpuOutOfMemoryError, ModelUnavailableError } from "../../domain/errors.ts";
import type { ProviderStatus } from "../engine-options.ts";
import type { Load } from "../protocol.ts";
import { probeExpected, probeGraph, probeInput } from "./probe-graph.ts";
import { runtimeError } from "./runtime-error.ts";

/** onnxruntime on the device that was asked for. */
export interface OnnxRuntime {
  readonly provider: ProviderStatus;
  /** @throws ModelUnavailableError where the graph cannot be loaded, GpuOutOfMemoryError */
  open(graphFile: string): Promise<OnnxSession>;
}

export type Tensors = Readonly<Record<string, Tensor>>;

export interface OnnxSession {
  /** Blocks this process until the graph has run. @throws ModelUnavailableError where it cannot, GpuOutOfMemoryError */
  run(inputs: Tensors): Promise<Tensors>;
  /** Gives its memory back. */
  release(): Promise<void>;
}

/** @throws ModelUnavailableError where "cuda" is insisted on and does not work, GpuOutOfMemoryError */
export async function openOnnxRuntime({
  executionProvider: requested,
  threads,
}: Pick<Load, "executionProvider" | "threads">): Promise<OnnxRuntime> {
  const fault = requested === "cpu" ? undefined : await cudaFault();
  if (requested === "cuda" && fault !== undefined) {
    if (fault.error instanceof GpuOutOfMemoryError) throw fault.error;
    throw new ModelUnavailableError(
      `The GPU cannot be used: ${fault.reason} Install onnxruntime-node with its CUDA libraries, or set the execution provider to "auto" or "cpu".`,
      { cause: fault.error, retryable: false },
    );
  }
  const actual = requested === "cpu" || fault !== undefined ? "cpu" : "cuda";
  const options: InferenceSession.SessionOptions = {
    executionProviders: actual === "cuda" ? ["cuda", "cpu"] : ["cpu"],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    logSeverityLevel: 3,
  };
  return {
    provider: { requested, actual, ...(fault !== undefined && { fallbackReason: fault.reason }) },
    open: async (graphFile) => {
      const session = await InferenceSession.create(graphFile, options).catch((cause: unknown) => {
        throw runtimeError("A graph of the model does not load", cause, actual);
      });
      return {
        run: async (inputs) => {
          try {
            return (await session.run(inputs)) as Tensors;
          } catch (cause) {
            throw runtimeError("The network cannot be computed", cause, actual);
          }
        },
        release: () => session.release(),
      };
    },
  };
}

/** An output of a graph. @throws ModelUnavailableError where the graph did not give `length` values of this kind */
export function outputOf<T extends Float32Array | Uint8Array>(
  outputs: Tensors,
  name: string,
  type: new (length: number) => T,
  length: number,
): T {
  const data = outputs[name]?.data;
  if (data instanceof type && data.length === length) return data;
  throw new ModelUnavailableError(
    `The network's output "${name}" does not have the shape that its manifest says: install the model again.`,
    { retryable: false },
  );
}

/**
 * Why CUDA does not work here; undefined where it does. onnxruntime's own list of backends names some that are not there, so
 * a small graph is computed with no way back to the CPU, and its numbers are compared.
 */
async function cudaFault(): Promise<{ readonly reason: string; readonly error?: Error } | undefined> {
  try {
    const session = await InferenceSession.create(probeGraph(), {
      executionProviders: ["cuda"],
      extra: { session: { disable_cpu_ep_fallback: "1" } },
      logSeverityLevel: 4,
    });
    const outputs = await session.run({ x: new Tensor("float32", probeInput, [8, 8]) });
    await session.release();
    const values = outputOf(outputs as Tensors, "y", Float32Array, 64);
    const agrees = probeExpected.every((expected, n) => Math.abs(expected - values[n]!) < 1e-3);
    return agrees ? undefined : { reason: "it computes a small matrix product wrongly." };
  } catch (error) {
    const reason = `onnxruntime says "${error instanceof Error ? error.message : error}".`;
    return { reason, error: runtimeError("The GPU cannot be used", error, "cuda") };
  }
}
