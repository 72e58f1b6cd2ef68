import { once } from "node:events";
import type { Command } from "commander";
import { startWorker } from "../app.ts";
import { readConfig } from "../config.ts";
import { createLogger } from "../logger.ts";
import { runCommand } from "./command.ts";

export function addWorkerCommand(program: Command): void {
  program
    .command("worker")
    .summary("do jobs for servers that share a PostgreSQL")
    .description(
      "Does the jobs of the PostgreSQL in PARSE3D_DATABASE_URL with the models of this machine; it has no HTTP API. Ctrl-C stops it, and gives back what it runs.",
    )
    .action(() =>
      runCommand(false, async ({ terminal, signal }) => {
        const config = readConfig();
        await using _worker = await startWorker(config, createLogger(config.log));
        terminal.say("Parse3D does jobs for the servers on its database. Research use only.");
        // Nothing else keeps a process without a listening socket alive.
        const alive = setInterval(() => {}, 60_000);
        if (!signal.aborted) await once(signal, "abort");
        clearInterval(alive);
      }),
    );
}
