import { StageTimeoutError } from "./errors.ts";
import type { JobRunner } from "./job.ts";

type Stage = Parameters<Parameters<JobRunner>[1]["progress"]>[0];

/** How long each part of a job may take, in ms. */
export interface StageLimits {
  readonly fetch: number;
  readonly decode: number;
  readonly infer: number;
  readonly encode: number;
  readonly store: number;
}

const limitOf: Readonly<Record<Stage, keyof StageLimits | undefined>> = {
  queued: undefined,
  fetch: "fetch",
  decode: "decode",
  prepare: "infer",
  infer: "infer",
  encode: "encode",
  store: "store",
  done: undefined,
};

/**
 * The same runner; a job that stays in one stage for longer than it may is stopped, and fails with StageTimeoutError. A
 * stage that is told again does not begin anew.
 */
export function withStageLimits(runner: JobRunner, limits: StageLimits): JobRunner {
  return async (request, run) => {
    const late = new AbortController();
    let part: keyof StageLimits | undefined;
    let timer: NodeJS.Timeout | undefined;
    const enter = (stage: Stage) => {
      const next = limitOf[stage];
      if (next === part) return;
      part = next;
      clearTimeout(timer);
      if (next === undefined) return;
      const limitMs = limits[next];
      const stop = () =>
        late.abort(new StageTimeoutError(next, limitMs, `PARSE3D_${next.toUpperCase()}_TIMEOUT_SECONDS`));
      timer = setTimeout(stop, limitMs).unref();
    };
    enter("fetch");
    try {
      return await runner(request, {
        ...run,
        signal: AbortSignal.any([run.signal, late.signal]),
        progress: (stage, fraction, detail) => {
          enter(stage);
          run.progress(stage, fraction, detail);
        },
      });
    } catch (error) {
      if (late.signal.aborted && !run.signal.aborted) throw late.signal.reason;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}
