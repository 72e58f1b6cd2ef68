import type { GpuOutOfMemoryError, ModelUnavailableError } from "../../domain/errors.ts";

/** The network wants more memory than there is: less of it at once may fit. Its `cause` is what the user is told otherwise. */
export class MemoryShortage extends Error {
  override readonly name = "MemoryShortage";
  declare readonly cause: ModelUnavailableError | GpuOutOfMemoryError;

  constructor(cause: ModelUnavailableError | GpuOutOfMemoryError) {
    super(cause.message, { cause });
  }
}
