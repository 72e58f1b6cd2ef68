import type { JobRequest, SucceededJob } from "./job.ts";
import type { MemoryJob } from "./memory-job.ts";

/** The job whose answer will do for whoever asks now, as it has not ended. */
export function findTwin(entries: Iterable<MemoryJob>, request: JobRequest, owner: string): MemoryJob | undefined {
  return askingTheSame(entries, request, owner).find((entry) => entry.answersToo());
}

/** The newest that asks the same, where it has succeeded. @param entries in the order of submission */
export function findAnswered(
  entries: Iterable<MemoryJob>,
  request: JobRequest,
  owner: string,
): SucceededJob | undefined {
  const newest = askingTheSame(entries, request, owner).at(-1)?.job;
  return newest?.state === "succeeded" ? newest : undefined;
}

/** Whoever asks about an image asks about a file of their own. */
function askingTheSame(entries: Iterable<MemoryJob>, request: JobRequest, owner: string): readonly MemoryJob[] {
  if (request.kind !== "series") return [];
  const question = JSON.stringify(request);
  return [...entries].filter(({ job }) => job.owner === owner && JSON.stringify(job.request) === question);
}
