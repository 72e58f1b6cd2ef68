/** Where the networks are computed. `auto`: on the GPU where it works, otherwise on the CPU, and the status says why. */
export type ExecutionProvider = "cpu" | "cuda" | "auto";

/** What was asked for, what really runs, and why they differ where they do. */
export interface ProviderStatus {
  readonly requested: ExecutionProvider;
  readonly actual: "cpu" | "cuda";
  readonly fallbackReason?: string;
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
  /** Slices for each run of a bundle's image graph; default 1. */
  readonly sliceBatch?: number;
  /** A process that has answered nothing for so long is closed; default ten minutes. */
  readonly idleMs?: number;
  readonly logger?: EngineLogger;
}
