import { DomainError } from "#converters/errors.ts";

/** The database cannot be reached now, or ended the connection. */
export class DatabaseUnavailableError extends DomainError {
  override readonly name = "DatabaseUnavailableError";
  readonly code = "database-unavailable";
  override readonly retryable: boolean = true;
}

/** The embedded database is open in another process. */
export class DatabaseInUseError extends DatabaseUnavailableError {
  override readonly retryable = false;

  constructor(pid: number) {
    super(
      `The database in the data folder is open in process ${pid}. Stop that one, use another PARSE3D_DATA_DIR, or set PARSE3D_DATABASE_URL to a PostgreSQL that several processes can share.`,
    );
  }
}
