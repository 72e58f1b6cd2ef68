import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "./database.ts";

const folder = join(import.meta.dirname, "migrations");
/** Any number will do, as long as nothing else in the database locks the same. */
const LOCK = 8117_0001;

/**
 * Brings the schema `parse3d` up to date, in one transaction; processes that start together wait for one another.
 * @throws Error where the database is of a newer version of the program
 */
export async function migrate(db: Database): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  await db.transaction(async (sql) => {
    await sql.query("select pg_advisory_xact_lock($1)", [LOCK]);
    await sql.script(`
      create schema if not exists parse3d;
      create table if not exists parse3d.migrations (name text primary key, applied_at timestamptz not null default now());
    `);
    const applied = new Set(
      (await sql.query<{ name: string }>("select name from parse3d.migrations")).map((row) => row.name),
    );
    const unknown = [...applied].filter((name) => !names.includes(name));
    if (unknown.length > 0) {
      throw new Error(`The database was changed by a newer version of Parse3D (${unknown.join(", ")}): use that one.`);
    }
    for (const name of names.filter((one) => !applied.has(one))) {
      await sql.script(await readFile(join(folder, name), "utf8"));
      await sql.query("insert into parse3d.migrations (name) values ($1)", [name]);
    }
  });
}
