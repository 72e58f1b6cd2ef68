import { createHash } from "node:crypto";
import { type Sql, toJsonb } from "#server/database/index.ts";
import type { Failure } from "../failure.ts";
import { type Job, type JobRequest, type JobResult, priorities } from "../job.ts";
import type { JobQuery, QueueLoad, Submission } from "../job-queue.ts";
import { notify, tellState } from "./job-news.ts";
import { type JobRow, jobColumns, jobOf } from "./job-row.ts";

/** Serialises what must see all other submissions: the backlog is exact, and a twin is found. */
export async function lockSubmissions(sql: Sql): Promise<void> {
  await sql.query("select pg_advisory_xact_lock(81170002)");
}

/** What makes two requests the same; null where a twin may run beside it. */
export function questionOf(request: JobRequest, owner: string): string | null {
  if (request.kind !== "series") return null;
  return createHash("sha256")
    .update(`${owner}\n${JSON.stringify(request)}`)
    .digest("hex");
}

export async function findUnfinished(sql: Sql, question: string): Promise<Job | undefined> {
  const [row] = await sql.query<JobRow>(
    `select ${jobColumns} from parse3d.jobs as job where question = $1 and state in ('queued', 'running') and not cancelling`,
    [question],
  );
  return row && jobOf(row);
}

/**
 * The newest job that asks the same, however it stands and however it is watched (as in same-question.ts; the index of migration
 * 0009 has these words): forced ones have no `question`.
 */
export async function findNewest(sql: Sql, request: JobRequest, owner: string): Promise<Job | undefined> {
  const [row] = await sql.query<JobRow>(
    `select ${jobColumns} from parse3d.jobs as job
     where request - '{fromSlice,preview}'::text[] = $1::jsonb - '{fromSlice,preview}'::text[] and owner = $2
     order by submitted desc limit 1`,
    [toJsonb(request), owner],
  );
  return row && jobOf(row);
}

export async function insertJob(
  sql: Sql,
  request: JobRequest,
  from: Required<Pick<Submission, "owner" | "requestId" | "priority">> & Pick<Submission, "ruleId">,
  {
    id,
    question,
    pinnedTo,
    attempts,
  }: { id: string; question: string | null; pinnedTo: string | null; attempts: number },
): Promise<Job> {
  await sql.query(
    `insert into parse3d.jobs (id, owner, request_id, request, question, priority, rule_id, pinned_to, attempts, model)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      id,
      from.owner,
      from.requestId,
      toJsonb(request),
      question,
      priorities.indexOf(from.priority),
      from.ruleId ?? null,
      pinnedTo,
      attempts,
      request.model ?? null,
    ],
  );
  return tellState(sql, id);
}

export interface Claimant {
  readonly workerId: string;
  /** Names; null: any. */
  readonly models: readonly string[] | null;
  /** A job that no person waits for, and whose model nobody offers, is taken after so long, and fails. */
  readonly unofferedMs: number;
  /** No job waits longer for its next run: one that seems to was given its time by a clock that was set back since. */
  readonly longestDelayMs: number;
}

/**
 * The most urgent job that this worker can do now, taken by it; several workers never take the same one. What nobody can
 * do is taken as well, or its submitter would wait for ever.
 */
export async function claimJob(
  sql: Sql,
  { workerId, models, unofferedMs, longestDelayMs }: Claimant,
): Promise<Job | undefined> {
  const [claimed] = await sql.query<{ id: string }>(
    `update parse3d.jobs set state = 'running', worker_id = $1, attempt = attempt + 1, started_at = now(),
       stage = 'queued', fraction = 0, detail = null
     where id = (
       select id from parse3d.jobs
       where state = 'queued'
         and (run_after <= now() or run_after = created_at or run_after > now() + make_interval(secs => $4))
         and (pinned_to is null or pinned_to = $1)
         and parse3d.seconds_until(hours, now()) = 0
         and (model is null or $2::text[] is null or model = any($2::text[]) or (
           (priority = 0 or run_after <= now() - make_interval(secs => $3)) and not exists (
             select 1 from parse3d.workers as other where other.works and other.id <> $1
               and (other.model_names is null or jobs.model = any(other.model_names)))))
       order by priority, submitted for update skip locked limit 1
     ) returning id`,
    [workerId, models, unofferedMs / 1000, longestDelayMs / 1000],
  );
  return claimed && tellState(sql, claimed.id);
}

/** As `readJob`; nobody else changes the job before this transaction has ended. */
export async function lockJob(sql: Sql, id: string): Promise<{ job: Job; row: JobRow } | undefined> {
  await sql.query("select 1 from parse3d.jobs where id = $1 for update", [id]);
  const [row] = await sql.query<JobRow>(`select ${jobColumns} from parse3d.jobs as job where id = $1`, [id]);
  return row && { job: jobOf(row), row };
}

export async function listJobs(
  sql: Sql,
  { owners, limit, states, studyInstanceUid }: JobQuery,
): Promise<readonly Job[]> {
  const rows = await sql.query<JobRow>(
    `select ${jobColumns} from parse3d.jobs as job
     where owner = any($1::text[]) and ($2::text[] is null or state = any($2::text[]))
       and ($4::text is null or request->'series'->>'studyInstanceUid' = $4) order by submitted desc limit $3`,
    [owners, states ?? null, limit, studyInstanceUid ?? null],
  );
  return rows.map(jobOf);
}

/** How many wait with at least this urgency, and how many run, on all machines. */
export async function countJobs(sql: Sql, priority: number): Promise<Omit<QueueLoad, "accepting"> & { ahead: number }> {
  const [row] = await sql.query<{ queued: number; ahead: number; running: number }>(
    `select count(*) filter (where state = 'queued')::integer as queued,
       count(*) filter (where state = 'queued' and priority <= $1 and parse3d.seconds_until(hours, now()) = 0)::integer as ahead,
       count(*) filter (where state = 'running')::integer as running
     from parse3d.jobs where state in ('queued', 'running')`,
    [priority],
  );
  return row ?? { queued: 0, ahead: 0, running: 0 };
}

export type Ending =
  | { readonly state: "succeeded"; readonly result: JobResult }
  | { readonly state: "failed"; readonly failure: Failure }
  | { readonly state: "cancelled" };

/** Ends a job, whoever runs it; what it stored in the archive is noted with it. */
export async function endJob(sql: Sql, id: string, ending: Ending): Promise<Job> {
  const succeeded = ending.state === "succeeded";
  await sql.query(
    `update parse3d.jobs set state = $2, result = $3, failure = $4, finished_at = now(), worker_id = null, cancelling = false,
       stage = case when $5 then 'done' else stage end, fraction = case when $5 then 1 else fraction end
     where id = $1`,
    [
      id,
      ending.state,
      succeeded ? toJsonb(ending.result) : null,
      ending.state === "failed" ? toJsonb(ending.failure) : null,
      succeeded,
    ],
  );
  const { seg, sr, rtstruct, sc } = succeeded ? ending.result : {};
  for (const stored of [seg, sr, rtstruct, sc]) {
    if (!stored) continue;
    const { sopInstanceUid, seriesInstanceUid, studyInstanceUid } = stored;
    await sql.query(
      `insert into parse3d.stored_instances (sop_instance_uid, series_instance_uid, study_instance_uid, job_id)
       values ($1, $2, $3, $4) on conflict (sop_instance_uid) do nothing`,
      [sopInstanceUid, seriesInstanceUid, studyInstanceUid, id],
    );
  }
  if (succeeded)
    await supersede(
      sql,
      id,
      [seg, sr, rtstruct, sc].flatMap((stored) => stored?.sopInstanceUid ?? []),
    );
  return tellState(sql, id);
}

/** What the same rule stored for the same question about the same series, before instances came late or a model changed. */
async function supersede(sql: Sql, id: string, stored: readonly string[]): Promise<void> {
  await sql.query(
    `update parse3d.stored_instances as old set superseded_by = $1
     from parse3d.jobs as earlier join parse3d.jobs as now on now.id = $1 and earlier.rule_id = now.rule_id
       and earlier.request -> 'series' ->> 'seriesInstanceUid' = now.request -> 'series' ->> 'seriesInstanceUid'
     where old.job_id = earlier.id and earlier.submitted < now.submitted and earlier.request = now.request
       and old.superseded_by is null and old.sop_instance_uid <> all($2::text[])`,
    [id, stored],
  );
}

/**
 * Back to the queue; what the run found is forgotten.
 * @param runs.attempt runs that count
 * @param runs.attempts how many there may be
 */
export async function requeueJob(
  sql: Sql,
  id: string,
  { attempt, attempts }: { readonly attempt: number; readonly attempts: number },
  delayMs = 0,
): Promise<Job> {
  await sql.query("delete from parse3d.findings where job_id = $1", [id]);
  await sql.query("delete from parse3d.job_events where job_id = $1 and type <> 'state'", [id]);
  await sql.query(
    `update parse3d.jobs set state = 'queued', stage = 'queued', fraction = 0, detail = null, attempt = $2, attempts = $3,
       run_after = case when $4::double precision > 0 then now() + make_interval(secs => $4) else created_at end,
       started_at = null, finished_at = null, result = null, failure = null, worker_id = null, cancelling = false
     where id = $1`,
    [id, attempt, attempts, delayMs / 1000],
  );
  return tellState(sql, id);
}

/** From now on only a worker that offers this model takes the job. */
export async function wantModel(sql: Sql, id: string, model: string): Promise<void> {
  await sql.query("update parse3d.jobs set model = $2 where id = $1", [id, model]);
}

/** Only so many ended jobs are kept, the newest. */
export async function forgetOldest(sql: Sql, history: number): Promise<void> {
  await sql.query(
    `delete from parse3d.jobs where id in (
       select id from parse3d.jobs where finished_at is not null order by finished_at desc, submitted desc offset $1
     )`,
    [history],
  );
}

/** Whoever runs the job hears of it, and of nothing else. */
export async function askToCancel(sql: Sql, id: string): Promise<void> {
  await sql.query("update parse3d.jobs set cancelling = true where id = $1", [id]);
  await notify(sql, { kind: "cancel", jobId: id });
}
