import { type Agreement, openModelStore, verifyBundle, verifyOwnSample, verifyPipeline } from "#models/index.ts";
import { InvalidRequestError, ModelNotFoundError } from "#server/domain/index.ts";
import { openGraphProcess } from "#server/engines/index.ts";
import { readConfig } from "../config.ts";
import type { CommandContext } from "./command.ts";
import { exitCodes } from "./exit-code.ts";

export interface VerifyModelOptions {
  readonly golden?: string;
  readonly pipeline?: string;
}

/** Holds an installed bundle, or the pipeline around it, against numbers that others computed. */
export async function verifyModel(
  name: string | undefined,
  options: VerifyModelOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  if (options.pipeline) {
    const result = await verifyPipeline(options.pipeline);
    const verdict = result.different.length === 0 ? "all agree" : `different: ${result.different.join(", ")}`;
    terminal.answer(result, [`${result.cases} cases, ${verdict}`]);
    if (result.different.length > 0) process.exitCode = exitCodes.model;
    return;
  }
  if (!name) throw new InvalidRequestError("Name an installed model, or give --pipeline FILE.");
  const { inference, modelsFolder } = readConfig();
  const model = (await openModelStore(modelsFolder).list()).find(({ card }) => card.name === name);
  if (!model) throw new ModelNotFoundError(`There is no model "${name}". \`parse3d models\` lists the installed ones.`);
  if (model.engine !== "bundle")
    throw new InvalidRequestError("Only bundles hold a golden sample to be verified against.");
  await using graphs = openGraphProcess({
    signal,
    ...(inference.threads !== undefined && { threads: inference.threads }),
  });
  const agreement: Agreement = options.golden
    ? await verifyBundle(model, options.golden, graphs.run)
    : await verifyOwnSample(model, graphs.run);
  const { tolerance } = model.manifest.golden;
  const differences = Object.entries(agreement.maxAbsDiff);
  // Of golden data from elsewhere only their owner knows what is near enough.
  const agrees = differences.every(([, difference]) => difference <= (options.golden ? Number.MAX_VALUE : tolerance));
  const verdict = options.golden ? [] : [`${agrees ? "agrees" : "does not agree"}: ${tolerance} is allowed`];
  terminal.answer(agreement, [
    ...differences.map(([output, difference]) => `${output}: at most ${difference} off`),
    ...(agrees ? verdict : [...verdict, "This is not the model that was built: remove it, and install it again."]),
  ]);
  if (!agrees) process.exitCode = exitCodes.model;
}
