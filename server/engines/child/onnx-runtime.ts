import { InferenceSession, type Tensor } from "onnxruntime-node";
import { GpuOutOfMemoryError, ModelUnavailableError } from "../../domain/errors.ts";
import type { Device, ProviderStatus } from "../engine-options.ts";
import type { Load } from "../protocol.ts";
import { probeDevice } from "./device-probe.ts";
import { runtimeError } from "./runtime-error.ts";

/** onnxruntime on the device that was asked for. */
export interface OnnxRuntime {
  readonly provider: ProviderStatus;
  /** @throws ModelUnavailableError where the graph cannot be loaded, GpuOutOfMemoryError */
  open(graphFile: string): Promise<OnnxSession>;
}

/** Who computes what the device's own provider cannot. */
const CHAINS: Readonly<Record<Device, readonly Device[]>> = {
  cpu: ["cpu"],
  cuda: ["cuda", "cpu"],
  tensorrt: ["tensorrt", "cuda", "cpu"],
  webgpu: ["webgpu", "cpu"],
};

export type Tensors = Readonly<Record<string, Tensor>>;

export interface OnnxSession {
  /** Blocks this process until the graph has run. @throws ModelUnavailableError where it cannot, GpuOutOfMemoryError */
  run(inputs: Tensors): Promise<Tensors>;
  /** Gives its memory back. */
  release(): Promise<void>;
}

/**
 * `auto` tries CUDA and goes on with the CPU where that does not work; what is asked for by name is used or refused.
 * @throws ModelUnavailableError where a device is insisted on and does not work, GpuOutOfMemoryError
 */
export async function openOnnxRuntime({
  executionProvider: requested,
  threads,
}: Pick<Load, "executionProvider" | "threads">): Promise<OnnxRuntime> {
  const wanted = requested === "auto" ? "cuda" : requested;
  // The CPU is always there: what goes wrong on it is told where it does.
  const probe = wanted === "cpu" ? undefined : await probeDevice(wanted);
  if (probe?.works === false && requested !== "auto") {
    if (probe.error instanceof GpuOutOfMemoryError) throw probe.error;
    throw new ModelUnavailableError(
      `The execution provider "${wanted}" cannot be used: ${probe.reason} Install onnxruntime-node with its libraries, or set the execution provider to "auto" or "cpu".`,
      { cause: probe.error, retryable: false },
    );
  }
  const actual = probe?.works ? wanted : "cpu";
  const options: InferenceSession.SessionOptions = {
    executionProviders: [...CHAINS[actual]],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    logSeverityLevel: 3,
  };
  return {
    provider: {
      requested,
      actual,
      ...(probe && (probe.works ? { nodes: probe.nodes } : { fallbackReason: probe.reason })),
    },
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
