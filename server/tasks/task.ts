import type { EditRequest, EditResult, PictureRequest } from "#server/domain/index.ts";
import type { Failure } from "#server/jobs/index.ts";

/** Work that somebody waits for now and of which nothing is kept: no job. */
export interface Tasks {
  readonly edit: { readonly request: EditRequest; readonly answer: EditResult };
  /** A PNG file. */
  readonly picture: { readonly request: PictureRequest; readonly answer: Uint8Array };
}

export type TaskRunner = <Kind extends keyof Tasks>(
  kind: Kind,
  request: Tasks[Kind]["request"],
  options: { readonly signal: AbortSignal },
) => Promise<Tasks[Kind]["answer"]>;

export type ToTaskThread =
  | { readonly type: "start"; readonly id: number; readonly kind: keyof Tasks; readonly request: unknown }
  | { readonly type: "cancel"; readonly id: number };

export type FromTaskThread = { readonly id: number } & (
  | { readonly type: "done"; readonly answer: unknown }
  | { readonly type: "failed"; readonly failure: Failure }
  | { readonly type: "threw"; readonly message: string; readonly stack?: string }
);
