import type { Command } from "commander";
import { KNOWN_MODELS, openModelStore } from "#models/index.ts";
import { ModelNotFoundError } from "#server/domain/index.ts";
import { readConfig } from "../config.ts";
import { type AddModelOptions, addModel } from "./add-model.ts";
import { runCommand } from "./command.ts";
import { type VerifyModelOptions, verifyModel } from "./verify-model.ts";

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
        if (!KNOWN_MODELS.some((model) => model.name === name)) {
          const known = KNOWN_MODELS.map((model) => model.name).join(", ");
          throw new ModelNotFoundError(`No model "${name}" can be fetched; there are: ${known}.`);
        }
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
    .command("add")
    .description(
      "Installs MedImageParse 3D from its official checkpoint (biomedparse_v2.ckpt) or the MLX port's safetensors file. The weights stay as they are; the bundle links to them.",
    )
    .argument("<weights>", "the weights' file")
    .option("--name <name>", "the model's name here", "medimageparse3d")
    .option("--config <file>", "sizes that the weights do not tell, where they are not the official network's")
    .option("--tokenizer <file>", "a tokenizer.json, where it is not CLIP's own")
    .option("--move", "give up the weights' own place")
    .option("--accept-licence", "accept the weights' licence without being asked")
    .option("--json", "print one JSON document")
    .action((weights: string, options: AddModelOptions & { json?: boolean }) =>
      runCommand(options.json === true, (context) => addModel(weights, options, context)),
    );

  models
    .command("verify")
    .description("Compares a bundle, or the steps around the network, with numbers that others computed.")
    .argument("[name]", "an installed bundle")
    .option("--golden <file>", "a safetensors file with inputs and answers; otherwise the bundle's own sample")
    .option("--pipeline <file>", "a safetensors file of pre- and post-processing")
    .option("--json", "print one JSON document")
    .action((name: string | undefined, options: VerifyModelOptions & { json?: boolean }) =>
      runCommand(options.json === true, (context) => verifyModel(name, options, context)),
    );

  models
    .command("remove")
    .description("Removes an installed model.")
    .argument("<name>")
    .option("--json", "print one JSON document")
    .action((name: string, options: { json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal }) => {
        if (!(await openStore().remove(name))) {
          throw new ModelNotFoundError(`There is no model "${name}". \`parse3d models\` lists the installed ones.`);
        }
        terminal.answer({ removed: name }, [`removed ${name}`]);
      }),
    );
}

function openStore() {
  return openModelStore(readConfig().modelsFolder);
}
