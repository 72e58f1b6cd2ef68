import { DomainError } from "#converters/errors.ts";
import type { BackfillView, Destination, RoutingRule, RuleTestView } from "#server/contract/index.ts";
import type { Database } from "#server/database/index.ts";
import type { Archive } from "#server/dicomweb/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import type { Logger } from "../logger.ts";
import { checkAnswerable, type RoutedModels } from "./answerable.ts";
import { lookAgain } from "./archive-table.ts";
import { planBackfill } from "./backfill.ts";
import { dropBackfill } from "./backfill-table.ts";
import { checkHours, checkRule, refuseWithoutNiftiFolder } from "./check-rule.ts";
import { RuleNotFoundError } from "./errors.ts";
import { createOrthancClient } from "./orthanc-client.ts";
import { startOrthancPoller } from "./orthanc-poller.ts";
import type { PollLoop } from "./poll-loop.ts";
import { qidoFinder } from "./qido-finder.ts";
import { startQidoPoller } from "./qido-poller.ts";
import { loopGuard, type RouterOptions, type TransactionalQueue } from "./route-series.ts";
import { putRule, readRules, removeRule } from "./rule-table.ts";
import { daysAgo, orthancFinder, type SeriesFinder } from "./series-finder.ts";
import { testRules } from "./test-rules.ts";

/** Routing as the API sees it. */
export interface Routing extends AsyncDisposable {
  rules(): Promise<readonly RoutingRule[]>;
  /**
   * @returns what is doubtful about it, in words
   * @throws InvalidRequestError, InvalidPromptError, ModelNotFoundError; PacsUnavailableError where its destination cannot be looked up
   */
  put(rule: RoutingRule): Promise<readonly string[]>;
  /** @returns the rule that was there. @throws RuleNotFoundError */
  remove(id: string): Promise<RoutingRule>;
  test(
    what: { readonly rules?: readonly RoutingRule[] | undefined; readonly sinceDays: number; readonly limit: number },
    options: { readonly signal: AbortSignal },
  ): Promise<RuleTestView>;
  /** @throws RuleNotFoundError */
  backfill(
    id: string,
    what: { readonly sinceDays: number; readonly limit: number; readonly perHour: number; readonly queue: boolean },
    options: { readonly signal: AbortSignal },
  ): Promise<BackfillView>;
  /** @returns how many series waited. @throws RuleNotFoundError where there is neither such a rule nor such a series */
  stopBackfill(id: string): Promise<number>;
  /** Something may have arrived. */
  wake(): void;
}

/** Whose series are routed, and how it tells of them. */
export type RoutedArchive =
  | { readonly kind: "orthanc"; readonly url: string; readonly headers: Readonly<Record<string, string>> }
  | {
      readonly kind: "qido";
      readonly url: string;
      readonly archive: Archive;
      readonly windowDays: number;
      readonly stableMs: number;
    };

export interface RoutingOptions {
  readonly db: Database;
  readonly queue: TransactionalQueue;
  readonly logger: Logger;
  readonly from: RoutedArchive;
  readonly pollMs: number;
  readonly modalities: readonly string[];
  /** No other process can follow the archive on this database; default false. */
  readonly alone?: boolean;
  /** @throws InvalidRequestError where results cannot be sent there */
  readonly checkDestination: (destination: Destination) => Promise<void>;
  readonly models: RoutedModels;
  /** Whether masks can be written as NIfTI. */
  readonly hasNiftiFolder: boolean;
}

/** Follows an archive and routes what arrives in it, until disposed. */
export function startRouting(options: RoutingOptions): Routing {
  const { db, from, modalities, models } = options;
  const closed = new AbortController();
  const poller = startPoller(options, closed.signal);
  const noRule = async (id: string) => {
    const rules = await readRules(db);
    return new RuleNotFoundError(
      id,
      rules.map((rule) => rule.id),
    );
  };
  return {
    rules: () => readRules(db),
    put: async (rule) => {
      checkRule(rule);
      await checkHours(db, rule);
      const warnings = await checkSurroundings(options, rule);
      await putRule(db, rule);
      await lookAgain(db, from.url);
      return warnings;
    },
    remove: async (id) => {
      const removed = await removeRule(db, id);
      if (!removed) throw await noRule(id);
      return removed;
    },
    test: async ({ rules, sinceDays, limit }, { signal }) => {
      for (const rule of rules ?? []) checkRule(rule);
      const what = { rules: rules ?? (await readRules(db)), sinceDay: daysAgo(sinceDays), limit };
      const guard = loopGuard(db, modalities);
      return testRules({ finder: openFinder(from, signal), guard, models, sql: db, signal }, what);
    },
    backfill: async (id, { sinceDays, ...what }, { signal }) => {
      const rule = (await readRules(db)).find((one) => one.id === id);
      if (!rule) throw await noRule(id);
      if (what.queue && !rule.enabled)
        throw new InvalidRequestError(`The rule ${id} is switched off: set enabled first.`);
      const parts = {
        db,
        archive: from.url,
        finder: openFinder(from, signal),
        guard: loopGuard(db, modalities),
        models,
        signal,
      };
      const plan = await planBackfill(parts, { rule, sinceDay: daysAgo(sinceDays), ...what });
      if (what.queue) poller.wake();
      return plan;
    },
    stopBackfill: async (id) => {
      const removed = await db.transaction((sql) => dropBackfill(sql, from.url, id));
      if (removed === 0 && !(await readRules(db)).some((rule) => rule.id === id)) throw await noRule(id);
      return removed;
    },
    wake: () => poller.wake(),
    [Symbol.asyncDispose]: async () => {
      closed.abort(new DOMException("Routing stops.", "AbortError"));
      await poller[Symbol.asyncDispose]();
    },
  };
}

/**
 * What a rule needs besides itself: models, folders, destinations. One that is switched off asks nothing: it can be kept,
 * and switched off, whatever became of them.
 * @returns what is doubtful about it, in words
 */
async function checkSurroundings(
  { modalities, checkDestination, models, hasNiftiFolder }: RoutingOptions,
  rule: RoutingRule,
): Promise<readonly string[]> {
  const checks = [
    async () => (hasNiftiFolder ? undefined : refuseWithoutNiftiFolder(rule)),
    async () => rule.destination && checkDestination(rule.destination),
    () => checkAnswerable(rule, models, modalities),
  ];
  const doubts: string[] = [];
  for (const check of checks) {
    try {
      doubts.push(...((await check()) ?? []));
    } catch (error) {
      if (rule.enabled || !(error instanceof DomainError)) throw error;
      doubts.push(error.message);
    }
  }
  return doubts;
}

function startPoller({ from, pollMs, alone = false, ...options }: RoutingOptions, signal: AbortSignal): PollLoop {
  const router: RouterOptions = options;
  const common = { ...router, archive: from.url, pollMs, alone, finder: openFinder(from, signal) };
  switch (from.kind) {
    case "orthanc":
      return startOrthancPoller({ ...common, client: createOrthancClient({ ...from, signal }) });
    case "qido": {
      const { archive: client, windowDays, stableMs } = from;
      return startQidoPoller({ ...common, client, windowDays, stableMs, signal });
    }
    default:
      return from satisfies never;
  }
}

function openFinder(from: RoutedArchive, signal: AbortSignal): SeriesFinder {
  return from.kind === "qido"
    ? qidoFinder(from.archive, signal)
    : orthancFinder(createOrthancClient({ ...from, signal }));
}
