import { type Database, migrate, openEmbeddedDatabase, openServerDatabase } from "#server/database/index.ts";
import {
  type JobQueue,
  MemoryJobQueue,
  type MemoryJobQueueOptions,
  PostgresJobQueue,
  type PostgresJobQueueOptions,
} from "#server/jobs/index.ts";
import type { DatabaseConfig } from "./config.ts";
import type { Logger } from "./logger.ts";

export interface QueueOptions extends MemoryJobQueueOptions, Pick<PostgresJobQueueOptions, "silentMs"> {}

export interface OpenedQueue extends AsyncDisposable {
  readonly queue: JobQueue;
  /** Where jobs are kept in a database: what is kept beside them goes into the same one. */
  readonly durable?: { readonly db: Database; readonly queue: PostgresJobQueue };
}

/** The queue that the configuration asks for, and its database. Disposing closes both. */
export async function openQueue(database: DatabaseConfig, options: QueueOptions): Promise<OpenedQueue> {
  if (database.kind === "none") {
    const { silentMs: _others, ...own } = options;
    const queue = new MemoryJobQueue(own);
    return { queue, [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose]() };
  }
  await using opening = new AsyncDisposableStack();
  const db = opening.use(await openDatabase(database, options.logger));
  await migrate(db);
  const { now: _database, newId: _own, ...shared } = options;
  const { silentMs } = options;
  const beating = silentMs !== undefined && { heartbeatMs: Math.ceil(silentMs / 6) };
  const queue = opening.use(await PostgresJobQueue.open({ db, ...shared, ...beating }));
  const opened = opening.move();
  return { queue, durable: { db, queue }, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function openDatabase(config: Exclude<DatabaseConfig, { kind: "none" }>, logger: Logger): Promise<Database> {
  switch (config.kind) {
    case "embedded":
      return openEmbeddedDatabase(config.folder);
    case "server":
      return openServerDatabase({ url: config.url, logger });
    default:
      return config satisfies never;
  }
}
