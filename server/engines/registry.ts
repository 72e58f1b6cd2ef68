import { type InstalledModel, KNOWN_MODELS, type KnownModel, type ModelCard, resolveTarget } from "#models/index.ts";
import { InvalidPromptError, ModelNotFoundError, type ModelRegistry, type Prompt } from "#server/domain/index.ts";
import { createBundleModel } from "./bundle-model.ts";
import type { EngineOptions } from "./engine-options.ts";
import { createLabelsModel } from "./labels-model.ts";
import type { EngineModel, EngineStatus } from "./process-model.ts";

/** The domain's registry, and how each of its models stands. */
export interface EngineRegistry extends ModelRegistry {
  status(): readonly EngineStatus[];
}

/**
 * The installed models, each with a process of its own from its first question on. What is installed is asked anew for
 * each choice, so that a model that is added, replaced or removed meanwhile needs no restart.
 */
export function createModelRegistry({
  installed,
  ...options
}: EngineOptions & { installed(): Promise<readonly InstalledModel[]> }): EngineRegistry {
  const models = new Map<string, EngineModel>();

  async function current(): Promise<readonly ModelCard[]> {
    const now = await installed();
    for (const [name, model] of models) {
      if (now.some(({ card }) => card.name === name && card.sha256 === model.card.sha256)) continue;
      models.delete(name);
      await model[Symbol.asyncDispose]();
    }
    for (const model of now) {
      if (models.has(model.card.name)) continue;
      const create = () =>
        model.engine === "bundle" ? createBundleModel(model, options) : createLabelsModel(model, options);
      models.set(model.card.name, create());
    }
    return now.map(({ card }) => card);
  }

  return {
    cards: current,
    status: () => [...models.values()].map((model) => model.status()),
    choose: async ({ modality, prompts, name }) => {
      const cards = await current();
      const card = name === undefined ? bestCard(cards, modality, prompts) : namedCard(cards, name);
      return models.get(card.name)!;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...models.values()].map((model) => model[Symbol.asyncDispose]()));
    },
  };
}

function namedCard(cards: readonly ModelCard[], name: string): ModelCard {
  const card = cards.find((one) => one.name === name);
  if (card) return card;
  const names = cards.map((one) => one.name).join(", ") || "none";
  const known = KNOWN_MODELS.find((model) => model.name === name);
  throw new ModelNotFoundError(
    `There is no model of that name. Installed: ${names}.${known ? howToInstall(known) : ""}`,
  );
}

/** A closed vocabulary that holds every prompt, before an open one; a trained network, before rules. */
function bestCard(cards: readonly ModelCard[], modality: string, prompts: readonly Prompt[]): ModelCard {
  const fitting = cards.filter((card) => card.modalities.includes(modality));
  const couldBe = hint(cards, modality);
  if (fitting.length === 0) {
    const known = [...new Set(cards.flatMap((card) => card.modalities))].join(", ") || "none";
    throw new ModelNotFoundError(
      `No installed model reads ${modality} images; the installed ones read: ${known}.${couldBe}`,
    );
  }
  const trainedFirst = fitting.toSorted((a, b) => Number(b.trained) - Number(a.trained));
  const knowsAll = ({ targets }: ModelCard) =>
    prompts.every(({ text }) => resolveTarget(text, targets).kind === "found");
  const best =
    trainedFirst.find((card) => card.vocabulary === "closed" && knowsAll(card)) ??
    trainedFirst.find((card) => card.vocabulary === "open");
  if (best) return best;
  const targets = trainedFirst.flatMap((card) => card.targets.map((target) => target.name));
  throw new InvalidPromptError(
    `No installed model can answer all of these prompts on ${modality} images. They know: ${targets.join(", ")}.${couldBe}`,
    targets,
  );
}

/** How to get a model that reads such images, where none of the known ones is installed. */
function hint(cards: readonly ModelCard[], modality: string): string {
  const known = KNOWN_MODELS.filter(({ modalities }) => modalities.includes(modality));
  const [first] = known;
  return first && !known.some(({ name }) => cards.some((card) => card.name === name)) ? howToInstall(first) : "";
}

function howToInstall({ name }: KnownModel): string {
  return ` ${name} can be installed: bin/parse3d models pull ${name}`;
}
