import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { createInterface } from "node:readline/promises";
import {
  buildBoltzFormer,
  buildHalfBoltzFormer,
  ModelBundleError,
  openModelStore,
  parseNetworkConfig,
} from "#models/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { openGraphProcess } from "#server/engines/index.ts";
import { readConfig } from "../config.ts";
import { isFolder, readInput } from "../files.ts";
import type { CommandContext } from "./command.ts";

export interface AddModelOptions {
  readonly name: string;
  readonly config?: string;
  readonly tokenizer?: string;
  readonly acceptLicence?: boolean;
  readonly move?: boolean;
  readonly float16?: boolean;
  readonly phrasing?: "as-typed" | "sentence";
}

const OFFICIAL_NAME = "medimageparse3d";

/** Weights of MedImageParse 3D -> an installed bundle: nothing is converted, the graphs point into the weights' file. */
export async function addModel(weights: string, options: AddModelOptions, context: CommandContext): Promise<void> {
  if (await isFolder(weights, "The weights")) {
    throw new InvalidRequestError("The weights are one file, and a folder was given. Name the file in it.");
  }
  await askConsent(options.acceptLicence === true, context);
  await installWeights(weights, options, context);
}

/**
 * What follows on consent.
 * @param sha256 what the weights have to be, where that is known
 */
export async function installWeights(
  weights: string,
  options: AddModelOptions,
  { terminal, signal }: CommandContext,
  sha256?: string,
): Promise<void> {
  const config = options.config ? parseNetworkConfig(await readJson(options.config)) : undefined;
  const { inference, modelsFolder } = readConfig();
  await using graphs = openGraphProcess({
    signal,
    ...(inference.threads !== undefined && { threads: inference.threads }),
  });
  using watch = terminal.watch(signal);
  const isUnnamed = options.name === OFFICIAL_NAME;
  const name = options.float16 && isUnnamed ? `${OFFICIAL_NAME}-float16` : options.name;
  const { card } = await openModelStore(modelsFolder).add(name, async (folder) => {
    const build = options.float16 ? buildHalfBoltzFormer : buildBoltzFormer;
    const { checkpointSha256, precision } = await build({
      weights,
      folder,
      config,
      tokenizer: options.tokenizer,
      name,
      phrasing: options.phrasing,
      signal,
      run: graphs.run,
      onCopy: (bytes) =>
        terminal.say(`The weights lie on another file system: copying ${(bytes / 1e9).toFixed(2)} GB.`),
      onProgress: (stage, share) => watch.progress("prepare", share, stage),
    });
    if (precision) {
      const { maskLogits, samePixels } = precision.agreement;
      terminal.say(
        `float16 beside float32, on the CPU: mask logits differ by ${maskLogits.largest.toPrecision(2)} at most (their spread is ${maskLogits.spread.toPrecision(2)}); ${(100 * samePixels).toFixed(2)} % of the pixels are the same.`,
      );
    }
    if (sha256 !== undefined && checkpointSha256 !== sha256)
      throw new ModelBundleError(basename(weights), "differs from its sha256: remove it, and download it again.");
  });
  if (options.move) await rm(weights);
  terminal.answer(card, [`installed ${card.name} ${card.version}: ${card.title} [${card.licence}]`]);
}

const licence = [
  "The weights of MedImageParse 3D (BiomedParse v2) are licensed CC-BY-NC-SA-4.0 by Microsoft:",
  "attribution, no commercial use, derivatives under the same licence. Research use only; not for clinical decisions.",
  "Cite Zhao et al., Nature Methods 2024, doi 10.1038/s41592-024-02499-w.",
];

export async function askConsent(accepted: boolean, { terminal, signal }: CommandContext): Promise<void> {
  for (const line of licence) terminal.say(line);
  if (accepted) return;
  if (!process.stdin.isTTY || terminal.json) {
    throw new InvalidRequestError("The licence has to be accepted: read it, then add --accept-licence.");
  }
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await ask.question("Do you accept it? (yes/no) ", { signal });
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new InvalidRequestError("The licence was not accepted; nothing was installed.");
  } finally {
    ask.close();
  }
}

async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readInput(path));
  try {
    const document: unknown = JSON.parse(text);
    return isRecord(document) && isRecord(document.config) ? document.config : document;
  } catch (cause) {
    throw new InvalidRequestError("The configuration is not JSON. Give the network's sizes as upstream names them.", {
      cause,
    });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
