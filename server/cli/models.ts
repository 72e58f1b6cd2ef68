import { basename } from "node:path";
import { type Command, Option } from "commander";
import { KNOWN_MODELS, openModelStore } from "#models/index.ts";
import { InvalidRequestError, ModelNotFoundError } from "#server/domain/index.ts";
import { readConfig } from "../config.ts";
import { ensureDataFolder } from "../data-folder.ts";
import { type AddModelOptions, addModel } from "./add-model.ts";
import { runCommand } from "./command.ts";
import { type ConnectModelOptions, connectModel } from "./connect-model.ts";
import { CHECKPOINT_MODEL, type PullModelOptions, pullCheckpoint } from "./pull-checkpoint.ts";
import { showModel } from "./show-model.ts";
import { type VerifyModelOptions, verifyModel } from "./verify-model.ts";

export function addModelsCommand(program: Command): void {
  const models = program.command("models").summary("list, fetch and remove models");

  models
    .command("list", { isDefault: true })
    .description("The models that are installed, with what they know.")
    .option("--json", "print one JSON document")
    .action((options: { json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal }) => {
        const store = await openStore();
        await store.ensureBuiltIn();
        const { installed, broken } = await store.inspect();
        const cards = installed.map(({ card }) => card);
        const faults = broken.map(({ folder, error }) => ({ name: basename(folder), broken: error.message }));
        terminal.answer(
          [...cards, ...faults],
          [
            ...cards.flatMap((card) => [
              `${card.name} ${card.version}: ${card.title} [${card.modalities.join(", ")}; ${card.licence}]`,
              `  ${card.description}`,
              `  ${card.vocabulary === "closed" ? "knows" : "recommended"}: ${card.targets.map(({ name }) => name).join(", ")}`,
            ]),
            ...faults.map((fault) => `${fault.name}: CANNOT BE RUN. ${fault.broken}`),
          ],
        );
      }),
    );

  models
    .command("show")
    .description("One model: its licence and intended use, who made it, and how it answers.")
    .argument("<name>", "an installed model")
    .option("--json", "print one JSON document")
    .action((name: string, options: { json?: boolean }) =>
      runCommand(options.json === true, (context) => showModel(name, context)),
    );

  models
    .command("pull")
    .description("Fetches a model's weights, checked against their sha256, and converts them.")
    .argument("<name>", "the model, like brain-t1; medimageparse3d needs access that its makers grant, and HF_TOKEN")
    .option("--from <folder>", "take the weights from a local folder instead of the network")
    .option("--accept-licence", "of medimageparse3d: accept the weights' licence without being asked")
    .option(
      "--config <file>",
      "of medimageparse3d: sizes that the weights do not tell, where they are not the official ones",
    )
    .addOption(phrasingOption("of medimageparse3d: "))
    .option("--json", "print one JSON document")
    .action((name: string, options: PullModelOptions & { json?: boolean }) =>
      runCommand(options.json === true, async (context) => {
        const { terminal, signal } = context;
        if (name === CHECKPOINT_MODEL) return pullCheckpoint(options, context);
        if (!KNOWN_MODELS.some((model) => model.name === name)) {
          const known = [CHECKPOINT_MODEL, ...KNOWN_MODELS.map((model) => model.name)].join(", ");
          throw new ModelNotFoundError(`No model "${name}" can be fetched; there are: ${known}.`);
        }
        using watch = terminal.watch(signal);
        const store = await openStore();
        const before = (await store.list()).find(({ card }) => card.name === name);
        const { card } = await store.pull(name, {
          signal,
          onProgress: (fraction: number) => watch.progress("fetch", fraction),
          ...(options.from && { from: options.from }),
        });
        const what = `${card.name} ${card.version}: ${card.title} [${card.licence}]`;
        terminal.answer(card, [
          before?.card.sha256 === card.sha256 ? `was installed already: ${what}` : `installed ${what}`,
        ]);
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
    .option(
      "--float16",
      "for GPUs: weights in a file of half the size that is made from them; installed as medimageparse3d-float16 unless named",
    )
    .addOption(phrasingOption(""))
    .option("--accept-licence", "accept the weights' licence without being asked")
    .option("--json", "print one JSON document")
    .action((weights: string, options: AddModelOptions & { json?: boolean }) =>
      runCommand(options.json === true, (context) => addModel(weights, options, context)),
    );

  models
    .command("connect")
    .description(
      "Makes a model known that another machine computes: an Azure ML online endpoint of MedImageParse 3D, or a bundle's graphs on a server of the Open Inference Protocol. Images leave this machine: see docs/engines.md.",
    )
    .argument("<kind>", "azure-ml or open-inference")
    .argument("<url>", "the endpoint's scoring URI, or the server's root")
    .option("--name <name>", "the model's name here")
    .option("--bundle <name>", "open-inference: the installed bundle that the server has", "medimageparse3d")
    .option("--text-encoder <model>", "open-inference: what the server calls the text graph", "text_encoder")
    .option("--image-model <model>", "open-inference: what the server calls the image graph", "image_model")
    .option("--deployment <name>", "azure-ml: one deployment of the endpoint")
    .option("--json", "print one JSON document")
    .action((kind: string, url: string, options: ConnectModelOptions & { json?: boolean }) =>
      runCommand(options.json === true, (context) => connectModel(kind, url, options, context)),
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
        const store = await openStore();
        const builtIn = Object.values(await store.ensureBuiltIn()).map(({ card }) => card.name);
        if (builtIn.includes(name)) {
          throw new InvalidRequestError(`"${name}" is built in, and made anew whenever it is missing.`);
        }
        if (!(await store.remove(name))) {
          throw new ModelNotFoundError(`There is no model "${name}". \`parse3d models\` lists the installed ones.`);
        }
        terminal.answer({ removed: name }, [`removed ${name}`]);
      }),
    );
}

function phrasingOption(of: string): Option {
  return new Option(
    "--phrasing <how>",
    `${of}what the network reads of a prompt that names a recommended target: its words, or a sentence in the style of the training (docs/medimageparse3d.md)`,
  )
    .choices(["as-typed", "sentence"])
    .default("as-typed");
}

async function openStore() {
  const { dataFolder, modelsFolder } = readConfig();
  await ensureDataFolder(dataFolder);
  return openModelStore(modelsFolder);
}
