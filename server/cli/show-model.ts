import { type InstalledModel, type ModelCard, openModelStore } from "#models/index.ts";
import { ModelNotFoundError } from "#server/domain/index.ts";
import { readConfig } from "../config.ts";
import { ensureDataFolder } from "../data-folder.ts";
import type { CommandContext } from "./command.ts";

/** All that a user should know of one installed model before asking it: what it is for, under which licence, how it answers. */
export async function showModel(name: string, { terminal }: CommandContext): Promise<void> {
  const { dataFolder, modelsFolder } = readConfig();
  await ensureDataFolder(dataFolder);
  const store = openModelStore(modelsFolder);
  await store.ensureBuiltIn();
  const model = (await store.list()).find(({ card }) => card.name === name);
  if (!model) throw new ModelNotFoundError(`There is no model "${name}". \`parse3d models\` lists the installed ones.`);
  const { card, manifest } = model;
  const attribution = "attribution" in manifest ? manifest.attribution : undefined;
  const settings = howItAnswers(model);
  terminal.answer({ ...card, ...(attribution !== undefined && { attribution }), ...settings }, [
    `${card.name} ${card.version}: ${card.title}`,
    card.description,
    "",
    `licence: ${card.licence}${card.nonCommercial ? "; NO COMMERCIAL USE of the model or of its results" : ""}`,
    ...(attribution === undefined ? [] : [`made by: ${attribution}`]),
    `use: ${card.intendedUse}`,
    `trained network: ${card.trained ? "yes" : "no"}`,
    `images: ${card.modalities.join(", ")}`,
    `sha256: ${card.sha256}`,
    ...(settings ? linesOn(settings) : []),
    ...(card.figures ?? []).map(
      ({ reference, seenInTraining, dice }) =>
        `Dice on ${reference}${seenInTraining ? " (seen in training)" : ""}: ${Object.entries(dice)
          .map(([target, value]) => `${target} ${value}`)
          .join(", ")}`,
    ),
    `${card.vocabulary === "closed" ? "knows" : "recommended"}: ${card.targets.map((target) => target.name).join(", ")}`,
    ...(card.phrasing === "sentence" ? phraseLines(card) : []),
  ]);
}

/** What the network is asked for each target, by modality. */
function phraseLines({ modalities, targets }: ModelCard): string[] {
  const lists = modalities.flatMap((modality) => {
    const lines = targets.flatMap(({ phrases }) => phrases?.[modality] ?? []).map((phrase) => `  ${phrase}`);
    return lines.length === 0 ? [] : [`in ${modality} images:`, ...lines];
  });
  return ["asked in sentences: a prompt that names a recommended target is sent as its sentence", ...lists];
}

/** Of a bundle, the settings that decide its answers. */
function howItAnswers(model: InstalledModel) {
  if (model.engine !== "bundle") return undefined;
  const { imageSize, windows, thresholds, padding, sampling, precision } = model.manifest;
  const noise = sampling.mode === "frozen" ? ({ mode: "frozen", seed: sampling.seed } as const) : sampling;
  return { imageSize, windows, thresholds, padding, sampling: noise, ...(precision && { precision }) };
}

function linesOn(settings: NonNullable<ReturnType<typeof howItAnswers>>): string[] {
  const { imageSize, windows, thresholds, padding, sampling } = settings;
  const presets = Object.entries(windows.presets).map(([name, { width, level }]) => `${name} ${width}/${level}`);
  return [
    `pictures: ${imageSize} x ${imageSize}`,
    `CT windows (width/level, HU): ${presets.join(", ")}; otherwise ${windows.default}`,
    `thresholds: mask ${thresholds.mask}, presence ${thresholds.existence}`,
    `prompts that are asked together: ${padding === "isolate" ? "change nothing for each other" : "are padded to the longest, which changes a little"}`,
    ...(sampling.mode === "frozen" ? [`sampling: frozen, seed ${sampling.seed}`] : []),
  ];
}
