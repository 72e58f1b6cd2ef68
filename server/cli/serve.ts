import { once } from "node:events";
import type { Command } from "commander";
import { startServer } from "../app.ts";
import { readConfig } from "../config.ts";
import { createLogger } from "../logger.ts";
import { runCommand } from "./command.ts";

export function addServeCommand(program: Command): void {
  program
    .command("serve")
    .summary("the HTTP API")
    .description("Starts the server; the environment configures it (docs/configuration.md). Ctrl-C stops it.")
    .option("--no-worker", "leave the jobs to `parse3d worker` processes on the same PostgreSQL")
    .action(({ worker: works }: { readonly worker: boolean }) =>
      runCommand(false, async ({ terminal, signal }) => {
        const config = readConfig();
        await using server = await startServer(config, createLogger(config.log), { works });
        terminal.say(`Parse3D listens on ${server.url}; documentation at ${server.url}/docs. Research use only.`);
        if (!signal.aborted) await once(signal, "abort");
      }),
    );
}
