import { DomainError } from "#converters/errors.ts";
import type { RoutingRule, RuleTestView } from "#server/contract/index.ts";
import type { Sql } from "#server/database/index.ts";
import { answeringModel, checkAnswerable, type RoutedModels } from "./answerable.ts";
import { evaluate } from "./evaluate.ts";
import { type LoopGuard, whyNever } from "./loop-guard.ts";
import { type AskedSeries, estimateMinutes, readPastJobs } from "./machine-minutes.ts";
import type { SeriesFinder } from "./series-finder.ts";

export interface RuleTest {
  readonly rules: readonly RoutingRule[];
  /** Study Date (0008,0020), YYYYMMDD. */
  readonly sinceDay: string;
  readonly limit: number;
}

export interface RuleTestParts {
  readonly finder: SeriesFinder;
  readonly guard: LoopGuard;
  readonly models: RoutedModels;
  readonly sql: Sql;
  readonly signal: AbortSignal;
}

/** Which series of the archive the rules are for, and why not the others. Nothing is queued. */
export async function testRules(
  { finder, guard, models, sql, signal }: RuleTestParts,
  { rules, sinceDay, limit }: RuleTest,
): Promise<RuleTestView> {
  const cards = await models.cards();
  const asked: AskedSeries[] = [];
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
    const matching = never === undefined ? rules.filter((_rule, n) => verdicts[n]?.matches) : [];
    for (const rule of matching) {
      const model = answeringModel(rule, facts.modality, models, cards);
      asked.push({ slices: facts.sliceCount, ...(model !== undefined && { model }) });
    }
    series.push({
      ...facts.series,
      modality: facts.modality,
      ...(description !== undefined && { seriesDescription: description }),
      sliceCount: facts.sliceCount,
      matched: matching.map(({ id: ruleId }) => ruleId),
      ...(never !== undefined && { neverBecause: never }),
      unmatched: verdicts.flatMap((verdict) => (verdict.matches ? [] : { id: verdict.id, because: verdict.because })),
    });
  }
  const told = await Promise.all(
    rules.map(async (rule) => {
      const warnings = await doubtsAbout(rule, models, guard.modalities);
      return { id: rule.id, ...(warnings.length > 0 && { warnings }) };
    }),
  );
  return {
    seriesTested: series.length,
    complete: ids.length <= limit,
    rules: told.map((rule) => ({
      ...rule,
      matched: series.filter(({ matched }) => matched.includes(rule.id)).length,
    })),
    ...estimateMinutes(await readPastJobs(sql), asked),
    series,
  };
}

/** A test tells why a rule would be refused. */
async function doubtsAbout(rule: RoutingRule, models: RoutedModels, modalities: readonly string[]) {
  try {
    return await checkAnswerable(rule, models, modalities);
  } catch (error) {
    if (error instanceof DomainError) return [error.message];
    throw error;
  }
}
