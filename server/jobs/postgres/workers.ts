import { hostname } from "node:os";
import { type Database, type Sql, toJsonb } from "#server/database/index.ts";
import { WorkerLostError } from "../errors.ts";
import { toFailure } from "../failure.ts";
import type { WorkerOffer, WorkerState } from "../worker.ts";
import { endJob, lockJob, requeueJob } from "./job-table.ts";
import type { SilenceWatch } from "./silence-watch.ts";

/** A job whose process died is begun again, also one that a person waits for; one that kills its process, not for ever. */
const LOST_ATTEMPTS = 3;

/** What a process tells of itself with each heartbeat. */
export interface Announcement {
  readonly workerId: string;
  /** 0: it does no jobs. */
  readonly concurrency: number;
  /** Absent: it takes whatever is asked. */
  readonly offer?: WorkerOffer | undefined;
  readonly holdsBack?: string | undefined;
}

/** Says that this process lives and what it offers; one that was taken for dead is there again, without its jobs. */
export async function announce(sql: Sql, { workerId, concurrency, offer, holdsBack }: Announcement): Promise<void> {
  await sql.query(
    `insert into parse3d.workers (id, host, pid, works, concurrency, version, device, models, model_names, holds_back)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (id) do update set heartbeat_at = now(), works = excluded.works, concurrency = excluded.concurrency,
       version = excluded.version, device = excluded.device, models = excluded.models,
       model_names = excluded.model_names, holds_back = excluded.holds_back`,
    [
      workerId,
      hostname(),
      process.pid,
      concurrency > 0,
      concurrency,
      offer?.version ?? "",
      toJsonb(offer?.device ?? {}),
      toJsonb(offer?.models ?? []),
      offer ? offer.models.map(({ name }) => name) : null,
      holdsBack ?? null,
    ],
  );
}

interface WorkerRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly started_at: Date;
  readonly heartbeat_at: Date;
  readonly concurrency: number;
  readonly running: number;
  readonly version: string;
  readonly device: Partial<WorkerOffer["device"]>;
  readonly models: WorkerOffer["models"];
  readonly holds_back: string | null;
}

/** Those that do jobs and have told of themselves within `silentMs`, in the order in which they came. */
export async function listWorkers(sql: Sql, silentMs: number): Promise<readonly WorkerState[]> {
  const rows = await sql.query<WorkerRow>(
    `select id, host, pid, started_at, heartbeat_at, concurrency, version, device, models, holds_back,
       (select count(*) from parse3d.jobs where worker_id = workers.id)::integer as running
     from parse3d.workers where works and heartbeat_at > now() - make_interval(secs => $1) order by started_at, id`,
    [silentMs / 1000],
  );
  return rows.map(({ id, host, pid, concurrency, running, version, device, models, ...row }) => ({
    id,
    host,
    pid,
    startedAt: row.started_at,
    seenAt: row.heartbeat_at,
    concurrency,
    running,
    version,
    device: { executionProvider: "", cpus: 0, memoryBytes: 0, gpus: [], ...device },
    models,
    ...(row.holds_back !== null && { holdsBack: row.holds_back }),
  }));
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
export async function recoverLost(
  db: Database,
  self: string,
  { watch, silentMs }: { readonly watch: SilenceWatch; readonly silentMs: number },
): Promise<number> {
  const others = await db.query<{ id: string; sign: string }>(
    "select id, heartbeat_at::text as sign from parse3d.workers where id <> $1",
    [self],
  );
  const signs = new Map(others.map(({ id, sign }) => [id, sign]));
  let taken = 0;
  for (const id of watch.silent(signs, silentMs)) {
    taken += await db.transaction((sql) => takeFrom(sql, id, signs.get(id) ?? ""));
  }
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

/** As if the worker had died, for this one job. */
export async function giveBackStray(sql: Sql, jobId: string, workerId: string): Promise<void> {
  const [owned] = await sql.query("select 1 from parse3d.jobs where id = $1 and worker_id = $2 for update", [
    jobId,
    workerId,
  ]);
  if (owned) await takeJob(sql, jobId);
}

async function takeFrom(sql: Sql, workerId: string, sign: string): Promise<number> {
  const [stillLost] = await sql.query(
    "select id from parse3d.workers where id = $1 and heartbeat_at::text = $2 for update skip locked",
    [workerId, sign],
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
