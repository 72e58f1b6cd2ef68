import type { Command } from "commander";
import { type CacheContents, openSeriesCache } from "#server/cache/index.ts";
import { readConfig } from "../config.ts";
import { runCommand } from "./command.ts";

export function addCacheCommand(program: Command): void {
  const cache = program.command("cache").summary("what was fetched from the archive and is kept for a while");

  cache
    .command("show", { isDefault: true })
    .description("How much is kept on this machine.")
    .option("--json", "print one JSON document")
    .action((options: { readonly json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal }) => {
        const contents = await open().contents();
        terminal.answer(contents, [describe(contents)]);
      }),
    );

  cache
    .command("clear")
    .description("Removes all of it. Jobs that run now fetch what they still need.")
    .option("--json", "print one JSON document")
    .action((options: { readonly json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal }) => {
        const removed = await open().clear();
        terminal.answer({ removed }, [`removed: ${describe(removed)}`]);
      }),
    );
}

function open() {
  return openSeriesCache(readConfig().cache);
}

function describe({ series, bytes, oldest }: CacheContents): string {
  return `${series} series, ${(bytes / 1e6).toFixed(1)} MB${oldest ? `, the oldest from ${oldest.toISOString()}` : ""}`;
}
