import { z } from "zod";
import { type SeriesFault, UnsupportedSeriesError } from "#converters/errors.ts";
import { GpuOutOfMemoryError, InvalidPromptError, ModelUnavailableError } from "../domain/errors.ts";
import { MemoryShortage } from "./child/memory-shortage.ts";
import { REMOTE_FAULTS, RemoteModelError } from "./remote/remote-model-error.ts";

/** An error on its way between processes. */
export const WireErrorSchema = z.discriminatedUnion("code", [
  z.object({ code: z.literal("invalid-prompt"), message: z.string(), suggestions: z.array(z.string()) }),
  z.object({
    code: z.literal("model-unavailable"),
    message: z.string(),
    retryable: z.boolean(),
    remote: z.object({ fault: z.enum(REMOTE_FAULTS), status: z.int().optional() }).optional(),
  }),
  z.object({ code: z.literal("gpu-out-of-memory"), message: z.string() }),
  z.object({
    code: z.literal("unsupported-series"),
    message: z.string(),
    reason: z.custom<SeriesFault>((value) => typeof value === "string"),
    figures: z.record(z.string(), z.unknown()),
  }),
  z.object({ code: z.literal("internal"), message: z.string(), stack: z.string().optional() }),
]);
export type WireError = z.infer<typeof WireErrorSchema>;

/** The error as plain data. What is not one of the domain's own errors is a fault of the program: `internal`. */
export function toWire(error: unknown): WireError {
  if (error instanceof MemoryShortage) return toWire(error.cause);
  if (error instanceof InvalidPromptError) {
    return { code: error.code, message: error.message, suggestions: [...error.suggestions] };
  }
  if (error instanceof RemoteModelError) {
    const { code, message, retryable, fault, status } = error;
    return { code, message, retryable, remote: { fault, status } };
  }
  if (error instanceof ModelUnavailableError) {
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
  if (error instanceof GpuOutOfMemoryError) return { code: error.code, message: error.message };
  if (error instanceof UnsupportedSeriesError) {
    const { reason, ...figures } = error.details;
    return { code: error.code, message: error.message, reason, figures };
  }
  if (error instanceof Error) return { code: "internal", message: error.message, stack: error.stack };
  return { code: "internal", message: String(error) };
}

/** The same class that was thrown on the other side. */
export function fromWire(error: WireError): Error {
  switch (error.code) {
    case "invalid-prompt":
      return new InvalidPromptError(error.message, error.suggestions);
    case "model-unavailable":
      return error.remote
        ? new RemoteModelError(error.remote.fault, error.message, error.remote)
        : new ModelUnavailableError(error.message, { retryable: error.retryable });
    case "gpu-out-of-memory":
      return new GpuOutOfMemoryError(error.message);
    case "unsupported-series":
      return new UnsupportedSeriesError(error.reason, error.message, error.figures);
    case "internal":
      return new Error(`The inference process failed: ${error.message}`, { cause: error.stack });
    default:
      return error satisfies never;
  }
}

/** The question was refused, here or by another machine; nothing is wrong with the process, which goes on with the next one. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof InvalidPromptError || error instanceof UnsupportedSeriesError || error instanceof RemoteModelError
  );
}
