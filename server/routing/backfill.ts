import type { BackfillView, RoutingRule } from "#server/contract/index.ts";
import type { Database } from "#server/database/index.ts";
import { BacklogFullError } from "#server/jobs/index.ts";
import type { Logger } from "../logger.ts";
import { answeringModel, type RoutedModels } from "./answerable.ts";
import {
  addToBackfill,
  backfillWaiting,
  dropBackfill,
  dropFromBackfill,
  lastInBackfill,
  nextOfBackfill,
  rulesToBackfill,
  tickBackfill,
} from "./backfill-table.ts";
import { evaluate } from "./evaluate.ts";
import { type LoopGuard, whyNever } from "./loop-guard.ts";
import { type AskedSeries, estimateMinutes, readPastJobs } from "./machine-minutes.ts";
import { reasonOf } from "./poll-loop.ts";
import { loopGuard, msUntilHours, type RouterOptions, submitOnce, wasAsked } from "./route-series.ts";
import { readRules } from "./rule-table.ts";
import type { FoundSeries, SeriesFinder } from "./series-finder.ts";

export interface Backfill {
  readonly rule: RoutingRule;
  /** Study Date (0008,0020), YYYYMMDD. */
  readonly sinceDay: string;
  readonly limit: number;
  readonly perHour: number;
  /** False: nothing is kept, it only tells. */
  readonly queue: boolean;
}

interface PlanParts {
  readonly db: Database;
  readonly archive: string;
  readonly finder: SeriesFinder;
  readonly guard: LoopGuard;
  readonly models: RoutedModels;
  readonly signal: AbortSignal;
}

type Looked = BackfillView["series"][number];

/** No archive is looked through for longer, however few series match. */
const MOST_LOOKED_AT = 20_000;

/**
 * What a rule would be asked of that is in the archive already; with `queue`, the poller does so from then on.
 * @throws PacsUnavailableError, PacsTimeoutError, the signal's reason
 */
export async function planBackfill(parts: PlanParts, backfill: Backfill): Promise<BackfillView> {
  const { db, archive, finder, models, signal } = parts;
  const { rule, sinceDay, limit, perHour, queue } = backfill;
  const ids = await finder.since(sinceDay, MOST_LOOKED_AT + 1);
  const before = new Set(await backfillWaiting(db, archive, rule.id));
  const series: Looked[] = [];
  const matched: string[] = [];
  const cards = await models.cards();
  const asked: AskedSeries[] = [];
  let tested = 0;
  for (const id of ids.slice(0, MOST_LOOKED_AT)) {
    if (matched.length >= limit) break;
    signal.throwIfAborted();
    const found = await finder.find(id);
    tested += 1;
    if (!found) continue;
    const looked = before.has(id) ? describe(found, "waiting") : await look(parts, rule, found);
    if (looked.outcome === "matched") {
      matched.push(id);
      const model = answeringModel(rule, found.facts.modality, models, cards);
      asked.push({ slices: found.facts.sliceCount, ...(model !== undefined && { model }) });
    }
    series.push(looked);
  }
  if (queue && matched.length > 0) {
    await db.transaction((sql) => addToBackfill(sql, archive, rule.id, matched, 3600 / perHour));
  }
  const waiting = before.size + matched.length;
  return {
    rule: rule.id,
    seriesTested: tested,
    complete: tested === ids.length,
    matched: matched.length,
    queued: queue,
    waiting: queue ? waiting : before.size,
    hours: Math.round((waiting / perHour) * 10) / 10,
    ...estimateMinutes(await readPastJobs(db), asked),
    series,
  };
}

async function look({ db, guard }: PlanParts, rule: RoutingRule, found: FoundSeries): Promise<Looked> {
  const { facts, isComplete } = found;
  const never = await whyNever(facts, guard);
  if (never !== undefined) return describe(found, "never", [never]);
  const verdict = evaluate(rule, facts);
  if (!verdict.matches) return describe(found, "unmatched", verdict.because);
  if (!isComplete) return describe(found, "arriving");
  return describe(found, (await wasAsked(db, rule.id, facts)) ? "asked-before" : "matched");
}

function describe({ facts }: FoundSeries, outcome: Looked["outcome"], because: readonly string[] = []): Looked {
  const description = facts.tags.get("SeriesDescription")?.[0];
  return {
    ...facts.series,
    modality: facts.modality,
    ...(description !== undefined && { seriesDescription: description }),
    sliceCount: facts.sliceCount,
    outcome,
    because,
  };
}

export interface BackfillOptions extends RouterOptions {
  readonly logger: Logger;
  readonly archive: string;
  readonly finder: SeriesFinder;
}

/**
 * Queues what is due of the backfills, as batch jobs: what waits for room, for a rule's hours, or for a rule that is
 * switched off, stays. Called by the one process that looks at the archive.
 */
export async function continueBackfills(
  options: BackfillOptions,
  { isClosed, hold }: { readonly isClosed: () => boolean; readonly hold: () => Promise<boolean> },
): Promise<void> {
  const { db, archive, logger } = options;
  const waiting = await rulesToBackfill(db, archive);
  if (waiting.length === 0) return;
  const rules = new Map((await readRules(db)).map((rule) => [rule.id, rule]));
  for (const id of waiting) {
    const rule = rules.get(id);
    if (!rule) {
      await dropBackfill(db, archive, id);
      continue;
    }
    if (!rule.enabled || (await msUntilHours(db, rule)) > 0) continue;
    for (let due = await nextOfBackfill(db, archive, id); due !== undefined; ) {
      if (isClosed() || !(await hold())) return;
      try {
        const asked = await askOne(options, rule, due);
        await dropFromBackfill(db, archive, id, due);
        // What needed no job costs no time.
        if (asked) await tickBackfill(db, archive, id);
      } catch (error) {
        if (error instanceof BacklogFullError) {
          logger.info({ event: "routing.waits-for-room" });
          return;
        }
        logger.warn({ event: "routing.series-failed", ...reasonOf(error) });
        await lastInBackfill(db, archive, id, due);
        break;
      }
      due = await nextOfBackfill(db, archive, id);
    }
  }
}

async function askOne(
  { db, queue, modalities, finder }: BackfillOptions,
  rule: RoutingRule,
  resourceId: string,
): Promise<boolean> {
  const found = await finder.find(resourceId);
  if (!found || (await whyNever(found.facts, loopGuard(db, modalities))) !== undefined) return false;
  if (!evaluate(rule, found.facts).matches) return false;
  return db.transaction((sql) => submitOnce(sql, queue, { ...rule, priority: "batch" }, found.facts));
}
