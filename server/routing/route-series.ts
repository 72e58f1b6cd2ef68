import { randomUUID } from "node:crypto";
import type { BeginningHours, RoutingRule } from "#server/contract/index.ts";
import { type Database, type Sql, toJsonb } from "#server/database/index.ts";
import { type Job, type JobRequest, type Submission, seriesJobRequest } from "#server/jobs/index.ts";
import { hashUid, type Logger } from "../logger.ts";
import { evaluate } from "./evaluate.ts";
import { type LoopGuard, whyNever } from "./loop-guard.ts";
import { readRules } from "./rule-table.ts";
import type { SeriesFacts } from "./series-facts.ts";

/** Whose jobs the routed ones are. */
export const ROUTING_OWNER = "routing";

/** Queues a job within the caller's transaction: PostgresJobQueue. */
export interface TransactionalQueue {
  submitWithin(sql: Sql, request: JobRequest, from: Submission): Promise<Job>;
}

export interface RouterOptions {
  readonly db: Database;
  readonly queue: TransactionalQueue;
  readonly logger: Logger;
  readonly modalities: readonly string[];
}

/**
 * Asks the enabled rules of a series that is complete, and queues a job for each that is for it. The same instances are
 * asked about once for each rule, however often this is called.
 * @returns milliseconds until a rule may be asked for which the series has not been complete for long enough
 * @throws BacklogFullError where a job finds no room: what was queued before stays queued, and is not queued again
 */
export async function routeSeries(
  { db, queue, logger, modalities }: RouterOptions,
  facts: SeriesFacts,
  stableForMs: number,
): Promise<number | undefined> {
  const seriesHash = hashUid(facts.series.seriesInstanceUid);
  const never = await whyNever(facts, loopGuard(db, modalities));
  if (never !== undefined) {
    logger.debug({ event: "routing.never", seriesHash, reason: never });
    return undefined;
  }
  const fitting = (await readRules(db)).filter((rule) => rule.enabled && evaluate(rule, facts).matches);
  let jobs = 0;
  let waitMs = Number.POSITIVE_INFINITY;
  for (const rule of fitting) {
    const left = Math.max(rule.settleSeconds * 1000 - stableForMs, await msUntilHours(db, rule));
    if (left > 0) waitMs = Math.min(waitMs, left);
    else if (await db.transaction((sql) => submitOnce(sql, queue, rule, facts))) jobs += 1;
  }
  logger.info({ event: "routing.routed", seriesHash, jobs });
  return Number.isFinite(waitMs) ? waitMs : undefined;
}

/** The guard on what this program stored itself. */
export function loopGuard(sql: Sql, modalities: readonly string[]): LoopGuard {
  return {
    modalities,
    isOurs: async (seriesInstanceUid) =>
      (
        await sql.query("select 1 from parse3d.stored_instances where series_instance_uid = $1 limit 1", [
          seriesInstanceUid,
        ])
      ).length > 0,
  };
}

/** How long until jobs of the rule may begin; 0: they may. */
export async function msUntilHours(sql: Sql, { onlyBetween }: Pick<RoutingRule, "onlyBetween">): Promise<number> {
  if (!onlyBetween) return 0;
  const [row] = await sql.query<{ seconds: number }>("select parse3d.seconds_until($1::jsonb, now()) as seconds", [
    hoursJson(onlyBetween),
  ]);
  return Math.ceil((row?.seconds ?? 0) * 1000);
}

/** Whether the rule was asked of these instances before. */
export async function wasAsked(sql: Sql, ruleId: string, { series, instances }: SeriesFacts): Promise<boolean> {
  const asked = await sql.query(
    "select 1 from parse3d.routed_series where series_instance_uid = $1 and instances = $2 and rule_id = $3",
    [series.seriesInstanceUid, instances, ruleId],
  );
  return asked.length > 0;
}

/** @returns false where the rule was asked of the same instances before */
export async function submitOnce(
  sql: Sql,
  queue: TransactionalQueue,
  { id: ruleId, ask, priority, onlyBetween, destination }: RoutingRule,
  facts: SeriesFacts,
): Promise<boolean> {
  const { series, instances } = facts;
  if (await wasAsked(sql, ruleId, facts)) return false;
  const job = await queue.submitWithin(
    sql,
    seriesJobRequest(series, ask),
    // Forced: a job that already fetched the series before its last instances came is no answer to this.
    { owner: ROUTING_OWNER, requestId: `routing-${randomUUID()}`, priority, ruleId, force: true },
  );
  if (onlyBetween || destination) {
    await sql.query("update parse3d.jobs set hours = $2::jsonb, destination = $3::jsonb where id = $1", [
      job.id,
      onlyBetween ? hoursJson(onlyBetween) : null,
      destination ? toJsonb(destination) : null,
    ]);
  }
  // A second process that got here at the same time waits for this row, finds it, and its job is undone with it.
  await sql.query(
    "insert into parse3d.routed_series (series_instance_uid, instances, rule_id, job_id) values ($1, $2, $3, $4)",
    [series.seriesInstanceUid, instances, ruleId, job.id],
  );
  return true;
}

function hoursJson({ from, to, timeZone }: BeginningHours): string {
  return toJsonb({ from, to, timeZone: timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone });
}
