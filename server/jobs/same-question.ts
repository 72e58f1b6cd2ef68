import type { JobRequest, SucceededJob } from "./job.ts";
import type { MemoryJob } from "./memory-job.ts";

/** The job whose answer will do for whoever asks now, as it has not ended. */
export function findTwin(entries: Iterable<MemoryJob>, request: JobRequest, owner: string): MemoryJob | undefined {
  return askingTheSame(entries, request, owner).find((entry) => entry.answersToo());
}

/** How an answer is watched while it is made, which changes nothing of it: fields of a request. */
const HOW_IT_IS_WATCHED = ["fromSlice", "preview"] as const;

/** The newest that asks the same, however it was watched, where it has succeeded. @param entries in the order of submission */
export function findAnswered(
  entries: Iterable<MemoryJob>,
  request: JobRequest,
  owner: string,
): SucceededJob | undefined {
  const newest = askingTheSame(entries, request, owner, HOW_IT_IS_WATCHED).at(-1)?.job;
  return newest?.state === "succeeded" ? newest : undefined;
}

/** Whoever asks about an image asks about a file of their own. */
function askingTheSame(
  entries: Iterable<MemoryJob>,
  request: JobRequest,
  owner: string,
  besides: readonly string[] = [],
): readonly MemoryJob[] {
  if (request.kind !== "series") return [];
  const words = (one: JobRequest) => JSON.stringify(one, (name, value) => (besides.includes(name) ? undefined : value));
  const question = words(request);
  const { seriesInstanceUid } = request.series;
  return [...entries].filter(({ job }) => {
    // Of a long history few are about this series: the others are not put into words.
    if (job.owner !== owner || job.request.kind !== "series") return false;
    return job.request.series.seriesInstanceUid === seriesInstanceUid && words(job.request) === question;
  });
}
