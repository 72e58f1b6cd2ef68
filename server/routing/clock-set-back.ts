import type { Sql } from "#server/database/index.ts";

/** No series waits longer for its time: settling takes a day at most, and a rule's hours come within one. */
const LONGEST_WAIT = "25 hours";

/**
 * Times that were noted before the database's clock was set back lie in a future that is hours away: nothing may wait for
 * them. What waits for its time waits anew, from now.
 */
export async function heedClockSetBack(sql: Sql, archive: string): Promise<void> {
  await sql.query(
    `update parse3d.pending_series set stable_at = least(stable_at, now()),
       look_after = case when look_after > now() + interval '${LONGEST_WAIT}' or stable_at > now() then now() else look_after end
     where archive = $1 and (stable_at > now() or look_after > now() + interval '${LONGEST_WAIT}')`,
    [archive],
  );
  await sql.query(
    `update parse3d.seen_series set counted_at = now(), look_after = case when look_after is null then null else now() end
     where archive = $1 and counted_at > now()`,
    [archive],
  );
  await sql.query(
    `update parse3d.backfills set next_at = now()
     where archive = $1 and next_at > now() + make_interval(secs => every_seconds)`,
    [archive],
  );
}
