import { JobConflictError } from "#server/jobs/index.ts";
import type { TaskRunner } from "#server/tasks/index.ts";
import type { Handlers } from "./handlers.ts";
import type { JobAccess } from "./job-access.ts";

/** Pictures remembered: a result does not change. About 200 kB each. */
const MOST_PICTURES = 32;

/** Three planes through a job's result. */
export function pictureHandlers({
  tasks,
  jobOf,
}: {
  readonly tasks: TaskRunner;
  readonly jobOf: JobAccess;
}): Pick<Handlers, "readPicture"> {
  const made = new Map<string, Uint8Array>();
  return {
    readPicture: async ({ params }, { owner, signal }) => {
      const { state, request, ...job } = await jobOf(params.id, owner);
      const seg = "result" in job ? job.result.seg : undefined;
      if (request.kind !== "series" || !seg) {
        throw new JobConflictError(`There is no picture of a job that is ${state} and stored no segmentation.`);
      }
      const { series, volume, resample } = request;
      const bytes =
        made.get(params.id) ??
        (await tasks(
          "picture",
          { series, of: seg, ...(volume !== undefined && { volume }), ...(resample !== undefined && { resample }) },
          { signal },
        ));
      made.set(params.id, bytes);
      for (const oldest of made.keys()) {
        if (made.size <= MOST_PICTURES) break;
        made.delete(oldest);
      }
      return { bytes, headers: {} };
    },
  };
}
