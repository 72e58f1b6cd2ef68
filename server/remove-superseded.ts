import { z } from "zod";
import type { Database } from "#server/database/index.ts";
import type { Logger } from "./logger.ts";

export interface RemovalParts {
  readonly db: Database;
  readonly logger: Logger;
  /** Of Orthanc's own REST API: DICOMweb knows no deleting. */
  readonly orthancUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How often to look; default 10,000. */
  readonly pollMs?: number;
}

const Found = z.array(z.object({ ID: z.string(), Type: z.string() }));

/** A request that has not been answered after so long is made again at the next look. */
const PATIENCE_MS = 30_000;

/**
 * Removes results of routing rules from the archive that a newer answer to the same question has taken the place of. Only
 * what this program stored, and what no person has judged. Disposing ends it.
 */
export function removeSuperseded({ db, logger, orthancUrl, headers, pollMs = 10_000 }: RemovalParts): Disposable {
  const stop = new AbortController();
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      for (const uid of await superseded(db)) {
        await remove(uid);
        await db.query("update parse3d.stored_instances set removed_at = now() where sop_instance_uid = $1", [uid]);
        logger.info({ event: "superseded.removed", instanceHash: uid });
      }
    } catch (err) {
      if (!stop.signal.aborted) logger.warn({ event: "superseded.not-removed", err });
    } finally {
      busy = false;
    }
  };

  async function ask(path: string, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(PATIENCE_MS)]);
    return fetch(`${orthancUrl}${path}`, { ...init, headers: { ...headers }, redirect: "error", signal });
  }

  /** One that is gone already counts as removed. */
  async function remove(sopInstanceUid: string): Promise<void> {
    const lookup = await ask("/tools/lookup", { method: "POST", body: sopInstanceUid });
    if (!lookup.ok) throw new Error(`Orthanc answers ${lookup.status} to a lookup`);
    for (const { ID, Type } of Found.parse(await lookup.json())) {
      if (Type !== "Instance") continue;
      const gone = await ask(`/instances/${encodeURIComponent(ID)}`, { method: "DELETE" });
      await gone.body?.cancel();
      if (!gone.ok && gone.status !== 404) throw new Error(`Orthanc answers ${gone.status} to a removal`);
    }
  }

  const timer = setInterval(() => void look(), pollMs).unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      stop.abort();
    },
  };
}

async function superseded(db: Database): Promise<readonly string[]> {
  const rows = await db.query<{ sop_instance_uid: string }>(
    `select sop_instance_uid from parse3d.stored_instances as stored
     where superseded_by is not null and removed_at is null
       and not exists (select 1 from parse3d.reviews as review where review.job_id = stored.job_id)
     order by stored_at limit 100`,
  );
  return rows.map((row) => row.sop_instance_uid);
}
