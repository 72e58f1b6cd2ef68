import type { JobEvent, JobState } from "#server/contract/index.ts";
import type { ApiClient } from "./api-client.ts";
import { ApiProblemError, mayPass, ServerUnreachableError } from "./errors.ts";

export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Resolves after so long, or rejects with the signal's reason. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Told when the stream broke and when it stands again. */
  onContact?(reached: boolean): void;
  /** Told why the server refuses for now. */
  onRefusal?(error: ApiProblemError): void;
}

const RETRY_MS = [500, 1000, 2000, 5000] as const;

export function hasEnded(state: JobState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/**
 * A job's events to its end. Where the stream breaks it goes on after the last event that was seen, for as long as it takes; also
 * where the server refuses for now.
 * @throws ApiProblemError (the job is not there any more), the signal's reason
 */
export async function* followJob(
  api: ApiClient,
  jobId: string,
  { signal, wait, onContact, onRefusal }: FollowOptions,
): AsyncGenerator<JobEvent> {
  let after = 0;
  let failures = 0;
  for (;;) {
    try {
      for await (const event of api.events(jobId, { after, signal })) {
        if (failures > 0) onContact?.(true);
        failures = 0;
        after = event.id;
        yield event;
        if (event.type === "state" && hasEnded(event.job.state)) return;
      }
    } catch (error) {
      if (error instanceof ApiProblemError && mayPass(error.problem)) onRefusal?.(error);
      else if (error instanceof ServerUnreachableError) onContact?.(false);
      else throw error;
    }
    await wait(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 5000, signal);
    failures += 1;
  }
}
