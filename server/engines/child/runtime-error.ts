import { GpuOutOfMemoryError, ModelUnavailableError } from "../../domain/errors.ts";
import type { Device } from "../engine-options.ts";
import { MemoryShortage } from "./memory-shortage.ts";

/** What onnxruntime, CUDA and its libraries say where memory cannot be had. */
const MEMORY = /out of memory|failed to allocate memory|bad_alloc|alloc(?:ation)?_failed/i;

/**
 * What onnxruntime threw, as one of the domain's errors. A fault of a GPU may be gone the next time, in a new process; what
 * a CPU cannot compute it never can, unless memory was short.
 *
 * @param what that failed, in plain words, without a full stop
 */
export function runtimeError(
  what: string,
  cause: unknown,
  provider: Device,
): ModelUnavailableError | GpuOutOfMemoryError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (!MEMORY.test(reason)) {
    return new ModelUnavailableError(`${what}: ${reason}`, { cause, retryable: provider !== "cpu" });
  }
  if (provider !== "cpu") {
    return new GpuOutOfMemoryError(
      'The GPU\'s memory ran out. Ask again when other programs have left it, ask for fewer prompts at once, or set the execution provider to "cpu".',
      { cause },
    );
  }
  return new ModelUnavailableError(
    `${what}: the machine's memory ran out. Ask again when other programs have ended, or ask for fewer prompts at once.`,
    { cause },
  );
}

/** The same while a network runs, where less of it at once may help. */
export function runError(what: string, cause: unknown, provider: Device): Error {
  const error = runtimeError(what, cause, provider);
  return isMemory(cause) ? new MemoryShortage(error) : error;
}

function isMemory(cause: unknown): boolean {
  return MEMORY.test(cause instanceof Error ? cause.message : String(cause));
}
