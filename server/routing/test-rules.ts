import type { RoutingRule, RuleTestView } from "#server/contract/index.ts";
import type { Sql } from "#server/database/index.ts";
import { evaluate } from "./evaluate.ts";
import { type LoopGuard, whyNever } from "./loop-guard.ts";
import type { SeriesFinder } from "./series-finder.ts";

export interface RuleTest {
  readonly rules: readonly RoutingRule[];
  /** Study Date (0008,0020), YYYYMMDD. */
  readonly sinceDay: string;
  readonly limit: number;
}

/** Which series of the archive the rules are for, and why not the others. Nothing is queued. */
export async function testRules(
  { finder, guard, sql, signal }: { finder: SeriesFinder; guard: LoopGuard; sql: Sql; signal: AbortSignal },
  { rules, sinceDay, limit }: RuleTest,
): Promise<RuleTestView> {
  const ids = await finder.since(sinceDay, limit + 1);
  const series: RuleTestView["series"][number][] = [];
  for (const id of ids.slice(0, limit)) {
    signal.throwIfAborted();
    const found = await finder.find(id);
    if (!found) continue;
    const { facts } = found;
    const never = await whyNever(facts, guard);
    const verdicts = rules.map((rule) => ({ id: rule.id, ...evaluate(rule, facts) }));
    const description = facts.tags.get("SeriesDescription")?.[0];
    series.push({
      ...facts.series,
      modality: facts.modality,
      ...(description !== undefined && { seriesDescription: description }),
      sliceCount: facts.sliceCount,
      matched: never === undefined ? verdicts.flatMap(({ id: ruleId, matches }) => (matches ? ruleId : [])) : [],
      ...(never !== undefined && { neverBecause: never }),
      unmatched: verdicts.flatMap((verdict) => (verdict.matches ? [] : { id: verdict.id, because: verdict.because })),
    });
  }
  const minutes = await minutesPerJob(sql);
  const matches = series.reduce((sum, { matched }) => sum + matched.length, 0);
  return {
    seriesTested: series.length,
    complete: ids.length <= limit,
    rules: rules.map(({ id }) => ({ id, matched: series.filter(({ matched }) => matched.includes(id)).length })),
    ...(minutes !== undefined && { estimatedMinutes: Math.round(matches * minutes * 10) / 10 }),
    series,
  };
}

/** Of the latest hundred jobs that succeeded. */
export async function minutesPerJob(sql: Sql): Promise<number | undefined> {
  const [row] = await sql.query<{ minutes: number | null }>(
    `select (extract(epoch from avg(finished_at - started_at)) / 60)::double precision as minutes from (
       select started_at, finished_at from parse3d.jobs
       where state = 'succeeded' and request ->> 'kind' = 'series' order by finished_at desc limit 100
     ) as latest`,
  );
  return row?.minutes ?? undefined;
}
