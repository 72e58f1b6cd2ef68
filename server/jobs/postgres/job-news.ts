import { type Sql, toJsonb } from "#server/database/index.ts";
import type { Finding } from "#server/domain/index.ts";
import type { Job, JobNews, LoggedEvent } from "../job.ts";
import { type EventRow, eventOf, readJob } from "./job-row.ts";

export const CHANNEL = "parse3d_jobs";

/** What is told on the channel: `state`: it may be claimed, or has ended; `news`: its log grew; `cancel`: stop it. */
export type Notice = { readonly kind: "state" | "news" | "cancel"; readonly jobId: string };

export function readNotice(payload: string): Notice | undefined {
  const [kind, jobId] = payload.split(" ");
  if (jobId === undefined || (kind !== "state" && kind !== "news" && kind !== "cancel")) return undefined;
  return { kind, jobId };
}

/** One run of a job by one worker. Once another run has begun, nothing that this one writes counts. */
export interface RunOf {
  readonly jobId: string;
  readonly workerId: string;
  readonly attempt: number;
}

/** @returns false where the run has no say any more */
export async function tellProgress(
  sql: Sql,
  { jobId, workerId, attempt }: RunOf,
  progress: { readonly stage: Job["stage"]; readonly fraction: number; readonly detail?: string },
): Promise<boolean> {
  const { stage, fraction, detail } = progress;
  const [row] = await sql.query(
    `update parse3d.jobs set stage = $4, fraction = $5, detail = $6
     where id = $1 and worker_id = $2 and attempt = $3 and state = 'running' returning id`,
    [jobId, workerId, attempt, stage, fraction, detail ?? null],
  );
  if (row) await tell(sql, jobId, { type: "progress", ...progress });
  return row !== undefined;
}

/** @returns false where the run has no say any more */
export async function tellFinding(sql: Sql, { jobId, workerId, attempt }: RunOf, finding: Finding): Promise<boolean> {
  const [row] = await sql.query(
    `select 1 from parse3d.jobs where id = $1 and worker_id = $2 and attempt = $3 and state = 'running' for update`,
    [jobId, workerId, attempt],
  );
  if (!row) return false;
  const eventId = await tell(sql, jobId, { type: "finding", finding });
  await sql.query(
    `insert into parse3d.findings (job_id, prompt_id, event_id, present, score, volume_ml, finding)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (job_id, prompt_id) do update set event_id = excluded.event_id, present = excluded.present,
       score = excluded.score, volume_ml = excluded.volume_ml, finding = excluded.finding`,
    [jobId, finding.prompt.id, eventId, finding.present, finding.score, finding.volumeMl ?? null, toJsonb(finding)],
  );
  return true;
}

export async function readEvents(sql: Sql, id: string, after: number): Promise<readonly LoggedEvent[]> {
  const rows = await sql.query<EventRow>(
    "select id, at, news from parse3d.job_events where job_id = $1 and id > $2 order by id",
    [id, after],
  );
  return rows.map(eventOf);
}

/** The newest event's id, and whether more may come; undefined where there is no such job. */
export async function readProgressOf(sql: Sql, id: string): Promise<{ lastEvent: number; ended: boolean } | undefined> {
  const [row] = await sql.query<{ last_event: number; finished_at: Date | null }>(
    "select last_event, finished_at from parse3d.jobs where id = $1",
    [id],
  );
  return row && { lastEvent: row.last_event, ended: row.finished_at !== null };
}

/** Tells how the job stands now. */
export async function tellState(sql: Sql, id: string): Promise<Job> {
  const job = await readJob(sql, id);
  if (!job) throw new Error("the job is gone in the middle of its transaction");
  await tell(sql, id, { type: "state", job });
  return job;
}

/** Adds to the job's log, in place of what it makes obsolete, and wakes whoever listens when the transaction commits. */
async function tell(sql: Sql, jobId: string, news: JobNews): Promise<number> {
  const promptId = news.type === "finding" ? news.finding.prompt.id : null;
  // One statement: each step of a job tells something, and each question to the database is a way there and back.
  const [row] = await sql.query<{ last_event: number }>(
    `with obsolete as (
       delete from parse3d.job_events
       where job_id = $1 and type = $2 and $2 <> 'state' and prompt_id is not distinct from $3
     ), counted as (
       update parse3d.jobs set last_event = last_event + 1 where id = $1 returning last_event
     ), added as (
       insert into parse3d.job_events (job_id, id, type, prompt_id, news) select $1, last_event, $2, $3, $4::jsonb from counted
     )
     select last_event, pg_notify($5, $6) from counted`,
    [jobId, news.type, promptId, toJsonb(news), CHANNEL, payloadOf(news.type === "state" ? "state" : "news", jobId)],
  );
  return row?.last_event ?? 0;
}

/** Wakes whoever listens, when the transaction commits. */
export async function notify(sql: Sql, { kind, jobId }: Notice): Promise<void> {
  await sql.query("select pg_notify($1, $2)", [CHANNEL, payloadOf(kind, jobId)]);
}

function payloadOf(kind: Notice["kind"], jobId: string): string {
  return `${kind} ${jobId}`;
}
