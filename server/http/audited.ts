import { contract, type Route } from "#server/contract/index.ts";
import type { AuditEntry, AuditLog } from "../audit-log.ts";
import type { Logger } from "../logger.ts";

/** Requests that are noted: those that ask for or change something, and those that give out images. */
const audited: ReadonlySet<string> = new Set(
  Object.entries<Route>(contract).flatMap(([name, { method, kind }]) =>
    method !== "GET" || kind === "bytes" ? name : [],
  ),
);
/** It comes with every series that arrives, and changes nothing. */
const NOT_AUDITED = "orthancHook";

/** Ids of jobs and of rules; anything else in an address may be anything. */
const ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Notes requests when they have been answered: none waits for it, and none fails with it. */
export interface Audit {
  note(entry: AuditEntry, logger: Logger): void;
  /** When all is noted. */
  settled(): Promise<void>;
}

export function auditInto(log: AuditLog | undefined): Audit {
  const pending = new Set<Promise<void>>();
  return {
    note: (entry, logger) => {
      // Whoever is nobody has done nothing: a wrong token is in the server's log.
      if (!log || entry.actor === "" || !audited.has(entry.action) || entry.action === NOT_AUDITED) return;
      const { subject, ...rest } = entry;
      const noting: Promise<void> = log
        .note({ ...rest, ...(subject !== undefined && ID.test(subject) && { subject }) })
        .catch((err) => logger.warn({ event: "audit.not-noted", route: entry.action, err }))
        .finally(() => pending.delete(noting));
      pending.add(noting);
    },
    settled: async () => {
      await Promise.all(pending);
    },
  };
}
