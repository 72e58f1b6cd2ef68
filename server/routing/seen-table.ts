import type { Sql } from "#server/database/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import type { CountedSeries } from "./qido-finder.ts";

/** Longer unseen than any window is deep. */
const FORGET_AFTER = "400 days";

/**
 * Notes what the archive holds now. A series that is new, or holds another number of instances than before, is to be
 * decided on; not so where `leaveAlone`.
 */
export async function noteSeen(
  sql: Sql,
  archive: string,
  found: readonly CountedSeries[],
  { leaveAlone }: { readonly leaveAlone: boolean },
): Promise<void> {
  await sql.query(
    `insert into parse3d.seen_series as seen (archive, study_instance_uid, series_instance_uid, instance_count, look_after)
     select $1, study, series, instances, case when $5 then null else now() end
     from unnest($2::text[], $3::text[], $4::text[]::integer[]) as found (study, series, instances)
     on conflict (archive, study_instance_uid, series_instance_uid) do update set seen_at = now(),
       instance_count = excluded.instance_count,
       counted_at = case when seen.instance_count = excluded.instance_count then seen.counted_at else now() end,
       look_after = case when seen.instance_count = excluded.instance_count then seen.look_after else excluded.look_after end`,
    [
      archive,
      found.map(({ series }) => series.studyInstanceUid),
      found.map(({ series }) => series.seriesInstanceUid),
      found.map(({ instanceCount }) => String(instanceCount)),
      leaveAlone,
    ],
  );
  await sql.query(
    `delete from parse3d.seen_series where archive = $1 and seen_at < now() - interval '${FORGET_AFTER}'`,
    [archive],
  );
}

export interface SettledSeries {
  readonly series: SeriesRef;
  readonly instanceCount: number;
  /** For how long it has held so many instances. */
  readonly unchangedMs: number;
}

/** Series to be decided on that have held the same number of instances for so long, the longest first. */
export async function settledNow(
  sql: Sql,
  archive: string,
  stableMs: number,
  limit: number,
): Promise<readonly SettledSeries[]> {
  const rows = await sql.query<{ study: string; series: string; count: number; seconds: number }>(
    `select study_instance_uid as study, series_instance_uid as series, instance_count as count,
       extract(epoch from now() - counted_at)::double precision as seconds
     from parse3d.seen_series
     where archive = $1 and look_after <= now() and counted_at <= now() - make_interval(secs => $2)
     order by look_after, counted_at limit $3`,
    [archive, stableMs / 1000, limit],
  );
  return rows.map(({ study, series, count, seconds }) => ({
    series: { studyInstanceUid: study, seriesInstanceUid: series },
    instanceCount: count,
    unchangedMs: seconds * 1000,
  }));
}

/** @param afterMs undefined: not before it changes */
export async function decideLater(
  sql: Sql,
  archive: string,
  { studyInstanceUid, seriesInstanceUid }: SeriesRef,
  afterMs: number | undefined,
): Promise<void> {
  await sql.query(
    `update parse3d.seen_series set look_after = now() + make_interval(secs => $4::double precision)
     where archive = $1 and study_instance_uid = $2 and series_instance_uid = $3`,
    [archive, studyInstanceUid, seriesInstanceUid, afterMs === undefined ? null : afterMs / 1000],
  );
}
