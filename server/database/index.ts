export { type Database, type Sql, toJsonb } from "./database.ts";
export { openEmbeddedDatabase } from "./embedded-database.ts";
export { DatabaseInUseError, DatabaseUnavailableError } from "./errors.ts";
export { migrate } from "./migrate.ts";
export { openServerDatabase } from "./server-database.ts";
