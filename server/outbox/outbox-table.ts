import type { Sql } from "#server/database/index.ts";

/** `destination`: a result to be sent on; `notice`: word that a job has ended. */
export type OutboxKind = "destination" | "notice";

export interface OutboxItem {
  readonly id: string;
  readonly jobId: string;
  readonly content: unknown;
  /** This one included. */
  readonly tries: number;
}

/** Longer than anything waits: what seems to was given its time by a clock that was set back since. */
const LONGEST_WAIT = "3 hours";

/** What is due longest, taken by the caller for a while; several processes never take the same. */
export async function takeDue(sql: Sql, kind: OutboxKind, forMs: number): Promise<OutboxItem | undefined> {
  const [row] = await sql.query<{ id: string; job_id: string; content: unknown; tries: number }>(
    `update parse3d.outbox set tries = tries + 1, next_at = now() + make_interval(secs => $2)
     where id = (select id from parse3d.outbox where kind = $1 and given_up_at is null
         and (next_at <= now() or next_at > now() + interval '${LONGEST_WAIT}')
       order by next_at for update skip locked limit 1)
     returning id, job_id, content, tries`,
    [kind, forMs / 1000],
  );
  return row && { id: row.id, jobId: row.job_id, content: row.content, tries: row.tries };
}

export async function settle(sql: Sql, id: string): Promise<void> {
  await sql.query("delete from parse3d.outbox where id = $1", [id]);
}

export async function tryLater(sql: Sql, id: string, reason: string, afterMs: number): Promise<void> {
  await sql.query("update parse3d.outbox set reason = $2, next_at = now() + make_interval(secs => $3) where id = $1", [
    id,
    reason,
    afterMs / 1000,
  ]);
}

/** Kept for a month, for whoever asks why. */
export async function giveUp(sql: Sql, id: string, reason: string): Promise<void> {
  await sql.query("update parse3d.outbox set reason = $2, given_up_at = now() where id = $1", [id, reason]);
  await sql.query("delete from parse3d.outbox where given_up_at < now() - interval '30 days'");
}

/** A line of the job's result, for people. */
export async function noteInResult(sql: Sql, jobId: string, note: string): Promise<void> {
  await sql.query(
    `update parse3d.jobs set result = jsonb_set(result, '{notes}', coalesce(result -> 'notes', '[]') || to_jsonb($2::text))
     where id = $1 and result is not null`,
    [jobId, note],
  );
}

/** Of which jobs notices are owed from now on; whoever wants them says so again every now and then. */
export async function wantNotices(sql: Sql, jobs: "routing" | "all"): Promise<void> {
  await sql.query(
    `insert into parse3d.notices_wanted (jobs) values ($1)
     on conflict (only_one) do update set jobs = excluded.jobs, renewed_at = now()`,
    [jobs],
  );
}

/** Where nobody has wanted notices for so long, none are owed any more, and those that are are forgotten. */
export async function forgetUnwantedNotices(sql: Sql, unwantedMs: number): Promise<void> {
  await sql.query("delete from parse3d.notices_wanted where renewed_at <= now() - make_interval(secs => $1)", [
    unwantedMs / 1000,
  ]);
  await sql.query(
    "delete from parse3d.outbox where kind = 'notice' and not exists (select 1 from parse3d.notices_wanted)",
  );
}
