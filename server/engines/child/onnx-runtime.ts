import { InferenceSession, type Tensor } from "onnxruntime-node";
import { GpuOutOfMemoryError, ModelUnavailableError } from "../../domain/errors.ts";
import type { Device, ProviderStatus } from "../engine-options.ts";
import type { Load } from "../protocol.ts";
import { probeDevice } from "./device-probe.ts";
import { providerOf } from "./provider-of.ts";
import { runError, runtimeError } from "./runtime-error.ts";

/** onnxruntime on the device that was asked for. */
export interface OnnxRuntime {
  readonly provider: ProviderStatus;
  /**
   * @param options.briefly the graph is released soon: on a CPU its weights stay where they are in their file, which opens six
   * times as fast, takes no memory of its own, and costs a tenth of a second a run (of 63 million weights)
   * @throws ModelUnavailableError where the graph cannot be loaded, GpuOutOfMemoryError
   */
  open(graphFile: string, options?: { readonly briefly?: boolean }): Promise<OnnxSession>;
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
  /** In the thread that opened it, blocks that thread. @throws ModelUnavailableError where it cannot, MemoryShortage */
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
  deviceId,
  threads,
}: Pick<Load, "executionProvider" | "deviceId" | "threads">): Promise<OnnxRuntime> {
  const wanted = requested === "auto" ? "cuda" : requested;
  // The CPU is always there: what goes wrong on it is told where it does.
  const probe = wanted === "cpu" ? undefined : await probeDevice(wanted, deviceId);
  if (probe?.works === false && requested !== "auto") {
    if (probe.error instanceof GpuOutOfMemoryError) throw probe.error;
    throw new ModelUnavailableError(
      `The execution provider "${wanted}" cannot be used: ${probe.reason} Install onnxruntime-node with its libraries, or set the execution provider to "auto" or "cpu".`,
      { cause: probe.error, retryable: false },
    );
  }
  const actual = probe?.works ? wanted : "cpu";
  const options: InferenceSession.SessionOptions = {
    executionProviders: CHAINS[actual].map((name) => providerOf(name, deviceId)),
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    // A plan of memory is kept for each shape that was ever asked; on a CPU it wins no time.
    ...(actual === "cpu" && { enableMemPattern: false }),
    logSeverityLevel: 3,
  };
  return {
    provider: {
      requested,
      actual,
      ...(deviceId !== undefined && { deviceId }),
      ...(probe && (probe.works ? { nodes: probe.nodes } : { fallbackReason: probe.reason })),
    },
    open: async (graphFile, { briefly = false } = {}) => {
      const inPlace = briefly && actual === "cpu" && { extra: { session: { disable_prepacking: "1" } } };
      const session = await InferenceSession.create(graphFile, { ...options, ...inPlace }).catch((cause: unknown) => {
        throw runtimeError("A graph of the model does not load", cause, actual);
      });
      return {
        run: async (inputs) => {
          try {
            return (await session.run(inputs)) as Tensors;
          } catch (cause) {
            throw runError("The network cannot be computed", cause, actual);
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
