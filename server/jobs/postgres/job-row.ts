import type { Sql } from "#server/database/index.ts";
import type { Finding } from "#server/domain/index.ts";
import type { Failure } from "../failure.ts";
import {
  type Job,
  type JobNews,
  type JobRequest,
  type JobResult,
  type JobState,
  type LoggedEvent,
  priorities,
} from "../job.ts";

/** A row of parse3d.jobs with its findings, as the driver reads it. What is in it was written by this program. */
export interface JobRow {
  readonly id: string;
  readonly owner: string;
  readonly request_id: string;
  readonly request: JobRequest;
  readonly priority: number;
  readonly rule_id: string | null;
  readonly state: JobState;
  readonly stage: Job["stage"];
  readonly fraction: number;
  readonly detail: string | null;
  readonly attempt: number;
  readonly attempts: number;
  readonly run_after: Date;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly result: JobResult | null;
  readonly failure: Failure | null;
  readonly worker_id: string | null;
  readonly pinned_to: string | null;
  readonly cancelling: boolean;
  readonly last_event: number;
  /** In the order in which they were told. */
  readonly findings: readonly Finding[];
}

/** The columns of a JobRow, from `parse3d.jobs as job`. */
export const jobColumns = `
  job.id, job.owner, job.request_id, job.request, job.priority, job.rule_id, job.state, job.stage, job.fraction, job.detail,
  job.attempt, job.attempts, job.run_after, job.created_at, job.started_at, job.finished_at, job.result, job.failure,
  job.worker_id, job.pinned_to, job.cancelling, job.last_event,
  coalesce(
    (select jsonb_agg(f.finding order by f.event_id) from parse3d.findings as f where f.job_id = job.id), '[]'
  ) as findings`;

export function jobOf(row: JobRow): Job {
  const base = {
    id: row.id,
    owner: row.owner,
    requestId: row.request_id,
    request: row.request,
    priority: priorities[row.priority] ?? "batch",
    ...(row.rule_id !== null && { ruleId: row.rule_id }),
    attempt: row.attempt,
    stage: row.stage,
    fraction: row.fraction,
    ...(row.detail !== null && { detail: row.detail }),
    createdAt: row.created_at,
    findings: row.findings,
  };
  const started = row.started_at ?? row.created_at;
  const finished = row.finished_at ?? row.created_at;
  switch (row.state) {
    case "queued":
      return { ...base, state: "queued", ...(row.run_after > row.created_at && { retryAt: row.run_after }) };
    case "running":
      return { ...base, state: "running", startedAt: started };
    case "succeeded":
      if (!row.result) throw new Error("a job that succeeded has no result");
      return { ...base, state: "succeeded", startedAt: started, finishedAt: finished, result: row.result };
    case "failed":
      if (!row.failure) throw new Error("a job that failed has no failure");
      return { ...base, state: "failed", startedAt: started, finishedAt: finished, failure: row.failure };
    case "cancelled":
      return {
        ...base,
        state: "cancelled",
        ...(row.started_at && { startedAt: row.started_at }),
        finishedAt: finished,
      };
    default:
      return row.state satisfies never;
  }
}

export async function readJob(sql: Sql, id: string): Promise<Job | undefined> {
  const [row] = await sql.query<JobRow>(`select ${jobColumns} from parse3d.jobs as job where id = $1`, [id]);
  return row && jobOf(row);
}

export interface EventRow {
  readonly id: number;
  readonly at: Date;
  readonly news: JobNews;
}

/** Dates inside the news are text in the database. */
export function eventOf({ id, at, news }: EventRow): LoggedEvent {
  return news.type === "state" ? { id, at, type: "state", job: withDates(news.job) } : { id, at, ...news };
}

const dates = ["createdAt", "startedAt", "finishedAt", "retryAt"] as const;

function withDates(job: Job): Job {
  const texts = job as unknown as Readonly<Record<string, string | undefined>>;
  const revived = dates.flatMap((name) => (texts[name] === undefined ? [] : [[name, new Date(texts[name])]]));
  return { ...job, ...Object.fromEntries(revived) };
}
