import type { Sql } from "#server/database/index.ts";

/** A job about a series that has succeeded. */
export interface PastJob {
  readonly model: string;
  readonly minutes: number;
  /** Of its volume; absent in what an earlier version noted. */
  readonly slices?: number;
}

/** The latest hundred of each model. */
export async function readPastJobs(sql: Sql): Promise<readonly PastJob[]> {
  const rows = await sql.query<{ model: string; minutes: number; slices: number | null }>(
    `select model, minutes, slices from (
       select result -> 'model' ->> 'name' as model, (result ->> 'slices')::integer as slices,
         (extract(epoch from finished_at - started_at) / 60)::double precision as minutes,
         row_number() over (partition by result -> 'model' ->> 'name' order by finished_at desc) as latest
       from parse3d.jobs
       where state = 'succeeded' and request ->> 'kind' = 'series' and request -> 'recut' is null
         and result -> 'model' ->> 'name' is not null and started_at is not null
     ) as past where latest <= 100`,
  );
  return rows.map(({ model, minutes, slices }) => ({ model, minutes, ...(slices !== null && { slices }) }));
}

/** A series that a rule would ask about. */
export interface AskedSeries {
  /** Absent where it is not known which model would answer. */
  readonly model?: string;
  readonly slices: number;
}

export interface ModelMinutes {
  readonly model?: string;
  readonly series: number;
  /** Absent where no job of the model has succeeded yet. */
  readonly minutes?: number;
}

/** How long machines would work, by the model that would answer; where that is not known, as jobs of all models took. */
export function estimateMinutes(
  past: readonly PastJob[],
  asked: readonly AskedSeries[],
): { readonly estimatedMinutes?: number; readonly estimates: readonly ModelMinutes[] } {
  const estimates = [...Map.groupBy(asked, ({ model }) => model)].map(([model, series]): ModelMinutes => {
    const alike = past.filter((job) => model === undefined || job.model === model);
    const total = series.reduce((sum, { slices }) => sum + (minutesFor(alike, slices) ?? 0), 0);
    return {
      ...(model !== undefined && { model }),
      series: series.length,
      ...(alike.length > 0 && { minutes: rounded(total) }),
    };
  });
  const known = estimates.flatMap(({ minutes }) => minutes ?? []);
  return {
    ...(known.length > 0 && { estimatedMinutes: rounded(known.reduce((sum, minutes) => sum + minutes, 0)) }),
    estimates,
  };
}

/** Fewer say little about how time grows with slices. */
const FEWEST_FOR_SLICES = 5;

/** By a straight line over slices (least squares) where enough jobs noted them; by their mean otherwise. */
export function minutesFor(past: readonly PastJob[], slices: number): number | undefined {
  if (past.length === 0) return undefined;
  const noted = past.flatMap(({ slices: x, minutes: y }) => (x === undefined ? [] : [{ x, y }]));
  if (noted.length < FEWEST_FOR_SLICES) return mean(past.map(({ minutes }) => minutes));
  const [meanX, meanY] = [mean(noted.map(({ x }) => x)), mean(noted.map(({ y }) => y))];
  const spread = noted.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const together = noted.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  // More slices never take less time: what says so is chance.
  const slope = spread > 0 ? Math.max(0, together / spread) : 0;
  const least = Math.min(...noted.map(({ y }) => y));
  return Math.max(least, meanY + slope * (slices - meanX));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(minutes: number): number {
  return Math.round(minutes * 10) / 10;
}
