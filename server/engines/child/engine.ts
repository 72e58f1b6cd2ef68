import type { Voxels } from "#converters/geometry/index.ts";
import type { ProviderStatus } from "../engine-options.ts";
import type { Begin, PackedPlane } from "../protocol.ts";

/** What runs a network inside the inference process. One question at a time: `check`, `prepare` where needed, `answer`. */
export interface ChildEngine {
  readonly provider: ProviderStatus;
  /** Refuses a question before any voxel is sent. @throws InvalidPromptError, UnsupportedSeriesError */
  check(question: Begin): void;
  /** Whether the voxels are needed: false where what was made of them is still at hand. */
  needsVoxels(question: Begin): boolean;
  /** Makes of the volume what every further question on it shares. The voxels are the engine's to change. */
  prepare(question: Begin, voxels: Voxels, reply: Reply): Promise<void>;
  answer(question: Begin, reply: Reply): Promise<void>;
}

/** Where an engine's results go. */
export interface Reply {
  progress(stage: "prepare" | "infer", fraction: number): Promise<void>;
  /** Something that the user should know of the result, in plain words. */
  note(text: string): Promise<void>;
  /** Resolves when the other side is ready for more. */
  planes(planes: readonly PackedPlane[]): Promise<void>;
}
