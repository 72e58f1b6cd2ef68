import { z } from "zod";
import { connectAzureMl, connectOpenInference, openModelStore } from "#models/index.ts";
import { InvalidRequestError, ModelNotFoundError } from "#server/domain/index.ts";
import { readConfig } from "../config.ts";
import type { CommandContext } from "./command.ts";

export interface ConnectModelOptions {
  readonly name?: string;
  readonly bundle: string;
  readonly textEncoder: string;
  readonly imageModel: string;
  readonly deployment?: string;
}

/** Makes a model that another machine computes known here; nothing is asked of that machine yet. */
export async function connectModel(
  kind: string,
  url: string,
  options: ConnectModelOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const store = openModelStore(readConfig().modelsFolder);
  const build = async () => {
    if (kind === "azure-ml") {
      const { name = "medimageparse3d-azure", deployment } = options;
      return store.add(name, (folder) => connectAzureMl({ name, url, deployment }, folder));
    }
    if (kind !== "open-inference") throw new InvalidRequestError('Connect to "azure-ml" or to "open-inference".');
    const bundle = (await store.list()).find(({ card }) => card.name === options.bundle);
    if (bundle?.engine !== "bundle") {
      throw new ModelNotFoundError(
        `There is no bundle "${options.bundle}" here. Install the one that the server has, and name it with --bundle.`,
      );
    }
    const { name = `${options.bundle}-served`, textEncoder, imageModel } = options;
    return store.add(name, (folder) => connectOpenInference(bundle, { name, url, textEncoder, imageModel }, folder));
  };
  const { card } = await build().catch((cause: unknown) => {
    if (!(cause instanceof z.ZodError)) throw cause;
    const problems = cause.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
    throw new InvalidRequestError(`The model cannot be connected: ${problems}.`, { cause });
  });
  terminal.answer(card, [`connected ${card.name} ${card.version}: ${card.title} [${card.licence}]`]);
}
