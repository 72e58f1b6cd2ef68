import { setTimeout as delay } from "node:timers/promises";
import { JobView, Problem } from "#server/contract/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";

/** Asks a running server over its API, as any client would, and waits for the answer. */
export async function ask(
  serverUrl: string,
  series: SeriesRef,
  prompt: string,
  { signal, onProgress }: { readonly signal: AbortSignal; onProgress(job: JobView): void },
): Promise<JobView> {
  const submitted = await fetch(new URL("/v1/jobs", serverUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      studyInstanceUid: series.studyInstanceUid,
      seriesInstanceUid: series.seriesInstanceUid,
      prompts: [prompt],
    }),
    signal,
  });
  if (!submitted.ok) throw new Error(await problemIn(submitted));
  const location = new URL(submitted.headers.get("location") ?? "", serverUrl);
  for (;;) {
    const answer = await fetch(location, { signal });
    if (!answer.ok) throw new Error(await problemIn(answer));
    const job = JobView.parse(await answer.json());
    onProgress(job);
    if (job.state === "succeeded") return job;
    if (job.state === "failed" || job.state === "cancelled")
      throw new Error(job.problem?.detail ?? `the job was ${job.state}`);
    await delay(200, undefined, { signal });
  }
}

async function problemIn(answer: Response): Promise<string> {
  const problem = Problem.safeParse(await answer.json().catch(() => undefined));
  return problem.success ? (problem.data.detail ?? problem.data.title) : `the server answered ${answer.status}`;
}
