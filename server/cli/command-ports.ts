import { type AppPorts, openPorts } from "../app.ts";
import { readConfig } from "../config.ts";
import { createLogger } from "../logger.ts";

/** The ports for one command. Its words are the command's own, so only what went wrong is logged beside them. */
export function openCommandPorts(): Promise<AppPorts> {
  const config = readConfig();
  return openPorts(config, createLogger({ level: config.log.level === "silent" ? "silent" : "error" }));
}
