import type { Database } from "#server/database/index.ts";

/** What somebody did through the API, and how that was answered. */
export interface AuditEntry {
  /** A hash of the token, or "local". */
  readonly actor: string;
  /** The route's name in the contract. */
  readonly action: string;
  /** The id of a job or of a rule. */
  readonly subject?: string;
  readonly requestId: string;
  readonly status: number;
}

/** The table parse3d.audit, for whoever has the database. */
export interface AuditLog {
  note(entry: AuditEntry): Promise<void>;
}

/** What is older goes at the next start. */
const KEPT = "2 years";

export async function openAuditLog(db: Database): Promise<AuditLog> {
  await db.query(`delete from parse3d.audit where at < now() - interval '${KEPT}'`);
  return {
    note: async ({ actor, action, subject, requestId, status }) => {
      await db.query(
        "insert into parse3d.audit (actor, action, subject, request_id, status) values ($1, $2, $3, $4, $5)",
        [actor, action, subject ?? null, requestId, status],
      );
    },
  };
}
