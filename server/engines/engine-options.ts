import { z } from "zod";
import type { RemoteKey } from "./remote/remote-key.ts";

/** onnxruntime's own names, in lower case, of what can compute a graph on this machine. */
export const DEVICES = ["cpu", "cuda", "tensorrt", "webgpu"] as const;
export type Device = (typeof DEVICES)[number];

/** Where the networks are computed. `auto`: on the GPU where it works, otherwise on the CPU, and the status says why. */
export const ExecutionProvider = z.enum(["auto", ...DEVICES]);
export type ExecutionProvider = z.infer<typeof ExecutionProvider>;

/** What was asked for, what really runs, and why they differ where they do. */
export const ProviderStatus = z.object({
  requested: ExecutionProvider,
  /** `remote`: another machine computes it, and what it uses is not known here. */
  actual: z.enum([...DEVICES, "remote"]),
  /** Of a model on another machine: what its server says it is. */
  server: z.string().optional(),
  /** Of the probe that was computed there: how many of its nodes ran on which of onnxruntime's providers. */
  nodes: z.record(z.string(), z.number()).optional(),
  /** Of several GPUs, the one that this process was given. */
  deviceId: z.int().nonnegative().optional(),
  fallbackReason: z.string().optional(),
});
export type ProviderStatus = Readonly<z.infer<typeof ProviderStatus>>;

const DEVICE_WORDS: Readonly<Record<Device, string>> = {
  cpu: "the CPU",
  cuda: "a GPU by CUDA",
  tensorrt: "a GPU by TensorRT",
  webgpu: "a GPU by WebGPU",
};

/** What a model was computed on, for people. */
export function describeProvider({ actual, server }: Pick<ProviderStatus, "actual" | "server">): string {
  if (actual !== "remote") return DEVICE_WORDS[actual];
  return server === undefined ? "another machine" : `another machine (${server})`;
}

/** Keys of the machines that compute models elsewhere; they are sent to no other. */
export interface RemoteKeys {
  readonly azureMl?: RemoteKey;
  readonly openInference?: RemoteKey;
}

/** Pino's shape, as far as the engines need it: event name and figures, never a prompt's text or a UID. */
export interface EngineLogger {
  info(fields: Readonly<Record<string, unknown>>): void;
  warn(fields: Readonly<Record<string, unknown>>): void;
}

export interface EngineOptions {
  readonly executionProvider?: ExecutionProvider;
  /** Threads within one operator; onnxruntime's own choice (one per core) where absent. */
  readonly threads?: number;
  /** Slices for each run of a bundle's image graph; default: 1 on a CPU, 4 on a GPU. */
  readonly sliceBatch?: number;
  /** Likely targets that are answered beside a question, for later; default: 0 on a CPU, 16 on a GPU. */
  readonly anticipate?: number;
  /** A process that has answered nothing for so long is closed; default ten minutes. One of a model that is kept warm never is. */
  readonly idleMs?: number;
  /** Numbers of the GPUs to be used: each local model has a process for each. Absent: one process, on the first. */
  readonly gpus?: readonly number[];
  /** Models that are loaded and proved before they are asked anything, by name, and stay so. */
  readonly warm?: readonly string[];
  /** Told of these models when they begin to be loaded, are ready, or cannot be. */
  readonly onWarm?: (state: WarmState) => void;
  readonly remoteKeys?: RemoteKeys;
  readonly logger?: EngineLogger;
}

/** How a model that is to be warm stands. */
export interface WarmState {
  readonly model: string;
  readonly state: "loading" | "ready" | "failed";
  /** Why it cannot be loaded. */
  readonly why?: string;
}
