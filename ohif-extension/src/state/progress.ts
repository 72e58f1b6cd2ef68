import type { JobStage } from "#server/contract/index.ts";

/** Where each stage begins and ends on one bar, by the time that it usually takes. */
const span: Readonly<Record<JobStage, readonly [from: number, to: number]>> = {
  queued: [0, 0],
  fetch: [0, 0.35],
  decode: [0.35, 0.4],
  prepare: [0.4, 0.45],
  infer: [0.45, 0.9],
  encode: [0.9, 0.95],
  store: [0.95, 1],
  done: [1, 1],
};

/** How far a job is, from 0 to 1. */
export function overall(stage: JobStage, fraction: number): number {
  const [from, to] = span[stage];
  return from + (to - from) * fraction;
}
