import type { Sql } from "#server/database/index.ts";

export interface Cursor {
  readonly seq: number;
  /** The change at `seq`, to tell an archive that began anew. */
  readonly change?: string;
}

/**
 * Takes the archive's changes for one process, for a while; the same process may take them again. Who seems to hold them for
 * longer than that took them before the clock was set back, and says so again if he is there.
 * @returns false where another holds them
 */
export async function holdArchive(
  sql: Sql,
  archive: string,
  { holder, forMs, alone }: { readonly holder: string; readonly forMs: number; readonly alone: boolean },
): Promise<boolean> {
  const rows = await sql.query(
    `update parse3d.archive_cursors set holder = $2, held_until = now() + make_interval(secs => $3)
     where archive = $1
       and ($4 or holder = $2 or held_until < now() or held_until > now() + make_interval(secs => $3 + 60))
     returning archive`,
    [archive, holder, forMs / 1000, alone],
  );
  return rows.length > 0;
}

export async function letGo(sql: Sql, archive: string, holder: string): Promise<void> {
  await sql.query(
    "update parse3d.archive_cursors set holder = null, held_until = now() where archive = $1 and holder = $2",
    [archive, holder],
  );
}

export async function readCursor(sql: Sql, archive: string): Promise<Cursor | undefined> {
  const [row] = await sql.query<{ seq: number; change: string | null }>(
    "select seq::double precision as seq, change from parse3d.archive_cursors where archive = $1",
    [archive],
  );
  return row && { seq: row.seq, ...(row.change !== null && { change: row.change }) };
}

export async function writeCursor(sql: Sql, archive: string, { seq, change }: Cursor): Promise<void> {
  await sql.query(
    `insert into parse3d.archive_cursors (archive, seq, change) values ($1, $2, $3)
     on conflict (archive) do update set seq = excluded.seq, change = excluded.change`,
    [archive, seq, change ?? null],
  );
}

/** Something arrived in these series: they are not complete until the archive says so. */
export async function addArrivals(sql: Sql, archive: string, resourceIds: readonly string[]): Promise<void> {
  await sql.query(
    `insert into parse3d.pending_series (archive, resource_id) select $1, unnest($2::text[])
     on conflict (archive, resource_id) do update set stable_at = null, look_after = now()`,
    [archive, resourceIds],
  );
}

export async function markStable(sql: Sql, archive: string, resourceIds: readonly string[]): Promise<void> {
  await sql.query(
    `insert into parse3d.pending_series (archive, resource_id, stable_at) select $1, unnest($2::text[]), now()
     on conflict (archive, resource_id) do update set stable_at = now(), look_after = now()`,
    [archive, resourceIds],
  );
}

export interface PendingSeries {
  readonly resourceId: string;
  /** Since when the archive says that it is complete. */
  readonly stableForMs?: number;
}

/** Series to be looked at now, those that wait longest first. */
export async function pendingNow(sql: Sql, archive: string, limit: number): Promise<readonly PendingSeries[]> {
  const rows = await sql.query<{ resource_id: string; stable_for: number | null }>(
    `select resource_id, extract(epoch from now() - stable_at)::double precision as stable_for
     from parse3d.pending_series where archive = $1 and look_after <= now() order by look_after, seen_at limit $2`,
    [archive, limit],
  );
  return rows.map(({ resource_id, stable_for }) => ({
    resourceId: resource_id,
    ...(stable_for !== null && { stableForMs: stable_for * 1000 }),
  }));
}

export async function countPending(sql: Sql, archive: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    "select count(*)::integer as count from parse3d.pending_series where archive = $1",
    [archive],
  );
  return row?.count ?? 0;
}

export async function lookLater(sql: Sql, archive: string, resourceId: string, afterMs: number): Promise<void> {
  await sql.query(
    "update parse3d.pending_series set look_after = now() + make_interval(secs => $3) where archive = $1 and resource_id = $2",
    [archive, resourceId, afterMs / 1000],
  );
}

export async function forget(sql: Sql, archive: string, resourceId: string): Promise<void> {
  await sql.query("delete from parse3d.pending_series where archive = $1 and resource_id = $2", [archive, resourceId]);
}

/** Rules have changed: what waits for a rule's time is asked about again. */
export async function lookAgain(sql: Sql, archive: string): Promise<void> {
  await sql.query(
    "update parse3d.pending_series set look_after = now() where archive = $1 and stable_at is not null and look_after > now()",
    [archive],
  );
  await sql.query("update parse3d.seen_series set look_after = now() where archive = $1 and look_after > now()", [
    archive,
  ]);
}
