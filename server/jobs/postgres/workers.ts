import { hostname } from "node:os";
import type { Database, Sql } from "#server/database/index.ts";
import { WorkerLostError } from "../errors.ts";
import { toFailure } from "../failure.ts";
import { endJob, lockJob, requeueJob } from "./job-table.ts";

/** A job whose process died is begun again, also one that a person waits for; one that kills its process, not for ever. */
const LOST_ATTEMPTS = 3;

export async function enrol(sql: Sql, workerId: string): Promise<void> {
  await sql.query("insert into parse3d.workers (id, host, pid) values ($1, $2, $3) on conflict (id) do nothing", [
    workerId,
    hostname(),
    process.pid,
  ]);
}

/** @returns false where others took this worker for dead and took its jobs */
export async function beat(sql: Sql, workerId: string): Promise<boolean> {
  const rows = await sql.query("update parse3d.workers set heartbeat_at = now() where id = $1 returning id", [
    workerId,
  ]);
  return rows.length > 0;
}

/** The jobs that a worker still owns, and whether they are to be cancelled. */
export async function ownJobs(
  sql: Sql,
  workerId: string,
): Promise<ReadonlyMap<string, { readonly cancelling: boolean }>> {
  const rows = await sql.query<{ id: string; cancelling: boolean }>(
    "select id, cancelling from parse3d.jobs where worker_id = $1",
    [workerId],
  );
  return new Map(rows.map(({ id, cancelling }) => [id, { cancelling }]));
}

/**
 * Takes what it ran from every worker that gave no sign for `silentMs`, and forgets the worker. What only that process
 * could do fails.
 * @returns jobs that were taken
 */
export async function recoverLost(db: Database, self: string, silentMs: number): Promise<number> {
  const lost = await db.query<{ id: string }>(
    "select id from parse3d.workers where id <> $1 and heartbeat_at <= now() - make_interval(secs => $2)",
    [self, silentMs / 1000],
  );
  let taken = 0;
  for (const { id } of lost) taken += await db.transaction((sql) => takeFrom(sql, id, silentMs));
  return taken;
}

/** The end of a worker in order: what only it could do is cancelled. */
export async function resign(sql: Sql, workerId: string): Promise<void> {
  const rows = await sql.query<{ id: string }>(
    "select id from parse3d.jobs where pinned_to = $1 and finished_at is null for update",
    [workerId],
  );
  for (const { id } of rows) await endJob(sql, id, { state: "cancelled" });
  await sql.query("delete from parse3d.workers where id = $1", [workerId]);
}

async function takeFrom(sql: Sql, workerId: string, silentMs: number): Promise<number> {
  const [stillLost] = await sql.query(
    `select id from parse3d.workers where id = $1 and heartbeat_at <= now() - make_interval(secs => $2)
     for update skip locked`,
    [workerId, silentMs / 1000],
  );
  if (!stillLost) return 0;
  const jobs = await sql.query<{ id: string }>(
    "select id from parse3d.jobs where worker_id = $1 or (pinned_to = $1 and state = 'queued') order by submitted",
    [workerId],
  );
  for (const { id } of jobs) await takeJob(sql, id);
  await sql.query("delete from parse3d.workers where id = $1", [workerId]);
  return jobs.length;
}

async function takeJob(sql: Sql, id: string): Promise<void> {
  const locked = await lockJob(sql, id);
  if (!locked) return;
  const { attempt, attempts, cancelling, pinned_to } = locked.row;
  if (cancelling) {
    await endJob(sql, id, { state: "cancelled" });
  } else if (pinned_to === null && attempt < Math.max(attempts, LOST_ATTEMPTS)) {
    await requeueJob(sql, id, { attempt, attempts });
  } else {
    const lost = new WorkerLostError("The process that ran this job ended unexpectedly. Check its log, and ask again.");
    await endJob(sql, id, { state: "failed", failure: toFailure(lost) });
  }
}
