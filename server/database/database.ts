/** What goes into a query's `$1`, `$2`, ...; JSON goes in as text (see `toJsonb`). */
export type SqlValue = string | number | boolean | Date | null | readonly string[];

/** Runs statements of PostgreSQL. Every method throws DatabaseUnavailableError where the database cannot be reached. */
export interface Sql {
  /** One statement. Rows come as the driver reads them: timestamptz as Date, jsonb parsed, integer as number. */
  query<Row>(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Several statements, without values. */
  script(text: string): Promise<void>;
}

/** The one database: a PostgreSQL server, or one embedded in this process. */
export interface Database extends Sql, AsyncDisposable {
  /** `embedded`: this process is the only one that has it open. */
  readonly kind: "embedded" | "server";
  /** Commits what `work` did, or nothing of it where it throws. Inside, only the `sql` that it is given may be used. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Hears NOTIFY on a channel until disposed. An empty payload means that some may have been missed.
   * @param channel a plain identifier
   */
  listen(channel: string, onNotice: (payload: string) => void): Promise<AsyncDisposable>;
}

/** Text for a jsonb column, which takes neither U+0000 nor lone surrogates. */
export function toJsonb(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "string" ? item.toWellFormed().replaceAll("\0", "�") : item,
  );
}
