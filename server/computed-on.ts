import type { JobRunner } from "#server/jobs/index.ts";

/** What each model's last answer was computed on, by the model's name, as jobs tell. */
export type ComputedOn = ReadonlyMap<string, string>;

/** The same runner; what its results say of the machine is kept. */
export function rememberingDevices(run: JobRunner): { readonly run: JobRunner; readonly computedOn: ComputedOn } {
  const computedOn = new Map<string, string>();
  return {
    computedOn,
    run: async (request, jobRun) => {
      const result = await run(request, jobRun);
      const { name, computedOn: device } = result.model;
      if (device !== undefined) computedOn.set(name, device);
      return result;
    },
  };
}
