import type { Sql } from "#server/database/index.ts";

/** After a pause, what is overdue comes all at once: so much time's worth of it, at most. */
const CATCH_UP_SECONDS = 60;

/** Another rate holds for what waits already, too. */
export async function addToBackfill(
  sql: Sql,
  archive: string,
  ruleId: string,
  resourceIds: readonly string[],
  everySeconds: number,
): Promise<void> {
  await sql.query(
    `insert into parse3d.backfills (archive, rule_id, every_seconds) values ($1, $2, $3)
     on conflict (archive, rule_id) do update set every_seconds = excluded.every_seconds,
       next_at = greatest(backfills.next_at, now())`,
    [archive, ruleId, everySeconds],
  );
  await sql.query(
    `insert into parse3d.backfill_series (archive, rule_id, resource_id) select $1, $2, unnest($3::text[])
     on conflict do nothing`,
    [archive, ruleId, resourceIds],
  );
}

export async function backfillWaiting(sql: Sql, archive: string, ruleId: string): Promise<readonly string[]> {
  const rows = await sql.query<{ resource_id: string }>(
    "select resource_id from parse3d.backfill_series where archive = $1 and rule_id = $2",
    [archive, ruleId],
  );
  return rows.map(({ resource_id }) => resource_id);
}

/** Rules that are still to be asked of something. */
export async function rulesToBackfill(sql: Sql, archive: string): Promise<readonly string[]> {
  const rows = await sql.query<{ rule_id: string }>(
    "select distinct rule_id from parse3d.backfill_series where archive = $1 order by rule_id",
    [archive],
  );
  return rows.map(({ rule_id }) => rule_id);
}

/** The series that is due now. */
export async function nextOfBackfill(sql: Sql, archive: string, ruleId: string): Promise<string | undefined> {
  const [row] = await sql.query<{ resource_id: string }>(
    `select resource_id from parse3d.backfill_series join parse3d.backfills using (archive, rule_id)
     where archive = $1 and rule_id = $2 and next_at <= now() order by position limit 1`,
    [archive, ruleId],
  );
  return row?.resource_id;
}

/** One was queued: the next is due a while later. */
export async function tickBackfill(sql: Sql, archive: string, ruleId: string): Promise<void> {
  await sql.query(
    `update parse3d.backfills set next_at = make_interval(secs => every_seconds)
       + greatest(next_at, now() - make_interval(secs => $3)) where archive = $1 and rule_id = $2`,
    [archive, ruleId, CATCH_UP_SECONDS],
  );
}

export async function dropFromBackfill(sql: Sql, archive: string, ruleId: string, resourceId: string): Promise<void> {
  await sql.query("delete from parse3d.backfill_series where archive = $1 and rule_id = $2 and resource_id = $3", [
    archive,
    ruleId,
    resourceId,
  ]);
}

/** One that could not be looked at comes after all others. */
export async function lastInBackfill(sql: Sql, archive: string, ruleId: string, resourceId: string): Promise<void> {
  await sql.query(
    `update parse3d.backfill_series set position = default where archive = $1 and rule_id = $2 and resource_id = $3`,
    [archive, ruleId, resourceId],
  );
}

/** @returns how many series waited */
export async function dropBackfill(sql: Sql, archive: string, ruleId: string): Promise<number> {
  await sql.query("delete from parse3d.backfills where archive = $1 and rule_id = $2", [archive, ruleId]);
  const rows = await sql.query(
    "delete from parse3d.backfill_series where archive = $1 and rule_id = $2 returning 1 as one",
    [archive, ruleId],
  );
  return rows.length;
}
