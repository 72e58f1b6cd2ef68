import type { RoutingRule, RuleTestView } from "#server/contract/index.ts";
import type { Database } from "#server/database/index.ts";
import type { Logger } from "../logger.ts";
import { checkRule } from "./check-rule.ts";
import { createOrthancClient } from "./orthanc-client.ts";
import { type OrthancPoller, startOrthancPoller } from "./orthanc-poller.ts";
import { loopGuard, type TransactionalQueue } from "./route-series.ts";
import { putRule, readRules, removeRule } from "./rule-table.ts";
import { testRules } from "./test-rules.ts";

/** Routing as the API sees it. */
export interface Routing extends AsyncDisposable {
  rules(): Promise<readonly RoutingRule[]>;
  /** @throws InvalidRequestError, InvalidPromptError */
  put(rule: RoutingRule): Promise<void>;
  /** @returns the rule that was there */
  remove(id: string): Promise<RoutingRule | undefined>;
  test(
    what: { readonly rules?: readonly RoutingRule[] | undefined; readonly sinceDays: number; readonly limit: number },
    options: { readonly signal: AbortSignal },
  ): Promise<RuleTestView>;
  /** Something may have arrived. */
  wake(): void;
}

export interface RoutingOptions {
  readonly db: Database;
  readonly queue: TransactionalQueue;
  readonly logger: Logger;
  readonly orthanc: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly pollMs: number;
    readonly modalities: readonly string[];
  };
}

/** Follows an Orthanc and routes what arrives in it, until disposed. */
export function startRouting({ db, queue, logger, orthanc }: RoutingOptions): Routing {
  const { url, headers, pollMs, modalities } = orthanc;
  const closed = new AbortController();
  const client = createOrthancClient({ url, headers, signal: closed.signal });
  const poller: OrthancPoller = startOrthancPoller({ db, queue, logger, client, archive: url, pollMs, modalities });
  return {
    rules: () => readRules(db),
    put: async (rule) => {
      checkRule(rule);
      await putRule(db, rule);
    },
    remove: (id) => removeRule(db, id),
    test: async ({ rules, sinceDays, limit }, { signal }) => {
      for (const rule of rules ?? []) checkRule(rule);
      const own = createOrthancClient({ url, headers, signal });
      const since = new Date(Date.now() - sinceDays * 86_400_000);
      const sinceDay = since.toISOString().slice(0, 10).replaceAll("-", "");
      const what = { rules: rules ?? (await readRules(db)), sinceDay, limit };
      return testRules({ client: own, guard: loopGuard(db, modalities), sql: db, signal }, what);
    },
    wake: () => poller.wake(),
    [Symbol.asyncDispose]: async () => {
      closed.abort(new DOMException("Routing stops.", "AbortError"));
      await poller[Symbol.asyncDispose]();
    },
  };
}
