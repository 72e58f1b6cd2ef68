import type { JobQueue } from "#server/jobs/index.ts";
import type { Handlers } from "./handlers.ts";
import type { InstalledModels } from "./models.ts";
import { isForeseen } from "./problem.ts";

/**
 * Resolves where a part can do its work, with what is worth saying of it; throws where it cannot. A message is shown
 * where the error is a DomainError.
 */
export type ReadinessCheck = (options: { readonly signal: AbortSignal }) => Promise<string | undefined>;

export interface HealthParts {
  readonly queue: JobQueue;
  readonly models: InstalledModels;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly version: string;
  /** By a model's name, what it was last computed on, in words. */
  readonly computedOn?: ReadonlyMap<string, string>;
  /** A check that has not answered after so long has failed; default 2000. */
  readonly timeoutMs?: number;
}

export function healthHandlers(parts: HealthParts): Pick<Handlers, "health" | "ready"> {
  const checks: Readonly<Record<string, ReadinessCheck>> = {
    ...parts.checks,
    models: async () => {
      const cards = await parts.models();
      if (cards.length === 0) throw new NotReadyError("no model is installed; see: parse3d models");
      return cards.map(({ name }) => withDevice(name, parts.computedOn?.get(name))).join(", ");
    },
    queue: async () => {
      const { queued, running, accepting } = await parts.queue.load();
      const load = `${running} running, ${queued} waiting`;
      if (!accepting) throw new NotReadyError(`takes no more jobs: ${load}`);
      return load;
    },
  };
  return {
    health: () => ({ status: "alive", version: parts.version }),
    ready: async (_input, { signal }) => {
      const results = await Promise.all(
        Object.entries(checks).map(async ([name, check]) => {
          const within = AbortSignal.any([signal, AbortSignal.timeout(parts.timeoutMs ?? 2000)]);
          return [name, await outcome(check, within)] as const;
        }),
      );
      return { ready: results.every(([, { ok }]) => ok), checks: Object.fromEntries(results) };
    },
  };
}

/** "brain-t1 (the CPU)"; the name alone where it has answered nothing yet. */
function withDevice(name: string, device: string | undefined): string {
  return device === undefined ? name : `${name} (${device})`;
}

class NotReadyError extends Error {
  override readonly name = "NotReadyError";
}

async function outcome(check: ReadinessCheck, signal: AbortSignal): Promise<{ ok: boolean; why?: string }> {
  const late = Promise.withResolvers<never>();
  const onAbort = () => late.reject(new NotReadyError("gave no answer in time"));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const why = await Promise.race([check({ signal }), late.promise]);
    return { ok: true, ...(why !== undefined && { why }) };
  } catch (error) {
    if (signal.aborted) return { ok: false, why: "gave no answer in time" };
    const told = error instanceof NotReadyError || isForeseen(error);
    return { ok: false, why: told ? error.message : "failed in a way that was not foreseen" };
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
