import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "../logger.ts";
import type { Database, Sql } from "./database.ts";
import { DatabaseUnavailableError } from "./errors.ts";

export interface ServerDatabaseOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly logger: Logger;
  /** Connections at most; default 8. */
  readonly connections?: number;
}

const RECONNECT_MS = 1000;

/** A PostgreSQL server, 13 or newer. Connects when first used. */
export function openServerDatabase({ url, logger, connections = 8 }: ServerDatabaseOptions): Database {
  const common = {
    connectionString: url,
    application_name: "parse3d",
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  };
  const pool = new pg.Pool({ ...common, max: connections });
  // An idle connection that breaks is replaced when next needed.
  pool.on("error", (err) => logger.warn({ event: "database.connection-broke", reason: err.message }));

  return {
    kind: "server",
    ...sqlOf(pool),
    transaction: async (work) => {
      const client = await translated(() => pool.connect());
      let broken = false;
      // A connection that breaks between two statements is told here, and by the next statement; nobody else listens.
      const onError = () => {
        broken = true;
      };
      client.on("error", onError);
      try {
        await translated(() => client.query("begin"));
        const result = await work(sqlOf(client));
        await translated(() => client.query("commit"));
        return result;
      } catch (error) {
        broken ||= error instanceof DatabaseUnavailableError;
        if (!broken) await client.query("rollback").catch(() => (broken = true));
        throw error;
      } finally {
        client.release(broken);
        client.off("error", onError);
      }
    },
    listen: async (channel, onNotice) => {
      const listener = new Listener(() => new pg.Client(common), channel, onNotice, logger);
      await translated(() => listener.start());
      return listener;
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

/** One connection that listens, and comes back when it breaks. */
class Listener implements AsyncDisposable {
  readonly #newClient: () => pg.Client;
  readonly #channel: string;
  readonly #onNotice: (payload: string) => void;
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  #client: pg.Client | undefined;

  constructor(newClient: () => pg.Client, channel: string, onNotice: (payload: string) => void, logger: Logger) {
    this.#newClient = newClient;
    this.#channel = channel;
    this.#onNotice = onNotice;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    const client = this.#newClient();
    const lost = Promise.withResolvers<void>();
    client.on("error", (err) => {
      this.#logger.warn({ event: "database.listener-broke", reason: err.message });
      lost.resolve();
    });
    client.on("end", () => lost.resolve());
    client.on("notification", ({ payload }) => this.#onNotice(payload ?? ""));
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
    } catch (error) {
      client.end().catch(() => {});
      throw error;
    }
    this.#client = client;
    void lost.promise.then(() => this.#comeBack());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#client?.end().catch(() => {});
  }

  async #comeBack(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await sleep(RECONNECT_MS, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.start();
        this.#onNotice("");
        return;
      } catch (error) {
        this.#logger.debug({ event: "database.listener-waits", reason: error instanceof Error ? error.message : "" });
      }
    }
  }
}

function sqlOf(client: pg.Pool | pg.PoolClient): Sql {
  return {
    query: async <Row>(text: string, values: Parameters<Sql["query"]>[1] = []) =>
      (await translated(() => client.query(text, [...values]))).rows as readonly Row[],
    script: async (text) => {
      await translated(() => client.query(text));
    },
  };
}

/** SQLSTATE classes of a server that is going, full or starting: connection exception, insufficient resources, operator intervention. */
const PASSING = /^(08|53|57P)/;

/** @throws DatabaseUnavailableError in place of what a broken or refused connection throws */
async function translated<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const broken =
      /^E[A-Z]+$|^ENOTFOUND$/.test(code) ||
      /connection terminated|timeout exceeded|not queryable/i.test(messageOf(error));
    if (!broken && !PASSING.test(code)) throw error;
    throw new DatabaseUnavailableError(
      "The database cannot be reached: start it, or check PARSE3D_DATABASE_URL and the network.",
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
