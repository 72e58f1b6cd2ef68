import type { Command } from "commander";
import { openModelStore } from "#models/index.ts";
import { readConfig } from "../config.ts";
import { runCommand } from "./command.ts";

export function addModelsCommand(program: Command): void {
  const models = program.command("models").summary("list, fetch and remove models");

  models
    .command("list", { isDefault: true })
    .description("The models that are installed, with what they know.")
    .option("--json", "print one JSON document")
    .action((options: { json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal }) => {
        const store = openStore();
        await store.ensureBuiltIn();
        const cards = (await store.list()).map(({ card }) => card);
        terminal.answer(
          cards,
          cards.flatMap((card) => [
            `${card.name} ${card.version}: ${card.title} [${card.modalities.join(", ")}; ${card.licence}]`,
            `  ${card.description}`,
            `  ${card.vocabulary === "closed" ? "knows" : "recommended"}: ${card.targets.map(({ name }) => name).join(", ")}`,
          ]),
        );
      }),
    );

  models
    .command("pull")
    .description("Fetches a model's weights, checked against their sha256, and converts them.")
    .argument("<name>", "the model, like brain-t1")
    .option("--from <folder>", "take the weights from a local folder instead of the network")
    .option("--json", "print one JSON document")
    .action((name: string, options: { from?: string; json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        using watch = terminal.watch(signal);
        const { card } = await openStore().pull(name, {
          signal,
          onProgress: (fraction: number) => watch.progress("fetch", fraction),
          ...(options.from && { from: options.from }),
        });
        terminal.answer(card, [`installed ${card.name} ${card.version}: ${card.title} [${card.licence}]`]);
      }),
    );

  models
    .command("remove")
    .description("Removes an installed model.")
    .argument("<name>")
    .option("--json", "print one JSON document")
    .action((name: string, options: { json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal }) => {
        await openStore().remove(name);
        terminal.answer({ removed: name }, [`removed ${name}`]);
      }),
    );
}

function openStore() {
  return openModelStore(readConfig().modelsFolder);
}
