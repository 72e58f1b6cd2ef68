import { join } from "node:path";
import type { Env } from "./settings.ts";

/** Where jobs, rules and what was stored are kept. */
export type DatabaseConfig =
  | { readonly kind: "none" }
  | { readonly kind: "embedded"; readonly folder: string }
  | { readonly kind: "server"; readonly url: string };

/** @param dataFolder where the embedded one lies */
export function readDatabase(e: Env, dataFolder: string, problems: string[]): DatabaseConfig {
  const { PARSE3D_DATABASE_URL: url, PARSE3D_DATABASE_PASSWORD: password, PARSE3D_JOBS } = e;
  if (password && !url) problems.push("PARSE3D_DATABASE_PASSWORD: needs PARSE3D_DATABASE_URL");
  if (url) return { kind: "server", url: password ? withPassword(url, password, problems) : url };
  return PARSE3D_JOBS === "durable" ? { kind: "embedded", folder: join(dataFolder, "database") } : { kind: "none" };
}

/** Whatever characters it has. */
function withPassword(text: string, password: string, problems: string[]): string {
  const url = new URL(text);
  if (url.password !== "") {
    problems.push("PARSE3D_DATABASE_PASSWORD: PARSE3D_DATABASE_URL holds one already; leave one of them out");
  }
  if (url.username === "") problems.push("PARSE3D_DATABASE_PASSWORD: PARSE3D_DATABASE_URL names no user");
  url.password = encodeURIComponent(password);
  return url.href;
}
