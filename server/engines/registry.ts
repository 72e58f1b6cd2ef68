import { DomainError } from "#converters/errors.ts";
import { type InstalledModel, KNOWN_MODELS, type KnownModel, type ModelCard, resolveTarget } from "#models/index.ts";
import { InvalidPromptError, ModelNotFoundError, type ModelRegistry, type Prompt } from "#server/domain/index.ts";
import { bestByFigures } from "./best-by-figures.ts";
import { createBundleModel } from "./bundle-model.ts";
import type { EngineOptions } from "./engine-options.ts";
import { createLabelsModel } from "./labels-model.ts";
import { PooledModel } from "./pooled-model.ts";
import type { EngineModel, EngineStatus, ProcessOptions } from "./process-model.ts";
import { createRemoteModel } from "./remote-model.ts";

/** The domain's registry, and how each of its models stands. */
export interface EngineRegistry extends ModelRegistry {
  status(): readonly EngineStatus[];
  /** Begins to load the models that are to be warm; resolves when each is ready, or has failed. */
  warmUp(): Promise<void>;
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
  /** Replaced or removed, and still answering what was asked before. */
  const retiring = new Map<EngineModel, Promise<void>>();
  const warming = new Map<string, Promise<void>>();

  async function current(): Promise<readonly ModelCard[]> {
    const now = await installed();
    for (const [name, model] of models) {
      if (now.some(({ card }) => card.name === name && card.sha256 === model.card.sha256)) continue;
      models.delete(name);
      retiring.set(
        model,
        model.retire().finally(() => retiring.delete(model)),
      );
    }
    for (const model of now) {
      if (models.has(model.card.name)) continue;
      const created = createModel(model, options);
      models.set(model.card.name, created);
      if (options.warm?.includes(model.card.name)) warming.set(model.card.name, warm(created));
    }
    return now.map(({ card }) => card);
  }

  /** One that takes the place of another is warmed as that was. */
  async function warm(model: EngineModel): Promise<void> {
    const { name } = model.card;
    options.onWarm?.({ model: name, state: "loading" });
    try {
      await model.warm();
      options.onWarm?.({ model: name, state: "ready" });
    } catch (error) {
      options.logger?.warn({ event: "model.not-warm", model: name, err: error });
      if (models.get(name) !== model) return;
      const why = error instanceof DomainError ? error.message : "it cannot be loaded; the log says why";
      options.onWarm?.({ model: name, state: "failed", why });
    }
  }

  return {
    cards: current,
    status: () => [...models.values()].map((model) => model.status()),
    warmUp: async () => {
      const cards = await current();
      for (const name of options.warm ?? []) {
        if (!cards.some((card) => card.name === name))
          options.onWarm?.({ model: name, state: "failed", why: "it is not installed" });
      }
      await Promise.all(warming.values());
    },
    choose: async ({ modality, prompts, name }) => {
      const cards = await current();
      const card = name === undefined ? bestCard(cards, modality, prompts) : namedCard(cards, name);
      return models.get(card.name)!;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...models.values(), ...retiring.keys()].map((model) => model[Symbol.asyncDispose]()));
      await Promise.all(retiring.values());
    },
  };
}

/** With several GPUs, a process on each for what is computed here. */
function createModel(model: InstalledModel, { gpus = [], ...options }: EngineOptions): EngineModel {
  const [first, ...others] = gpus.map((deviceId) => ({ ...options, deviceId }));
  const isHere = model.engine === "bundle" || model.engine === "labels";
  if (!isHere || !first) return createOnDevice(model, options);
  if (others.length === 0) return createOnDevice(model, first);
  return new PooledModel([createOnDevice(model, first), ...others.map((one) => createOnDevice(model, one))]);
}

function createOnDevice(model: InstalledModel, options: ProcessOptions): EngineModel {
  switch (model.engine) {
    case "bundle":
      return createBundleModel(model, options);
    case "labels":
      return createLabelsModel(model, options);
    case "azure-ml":
    case "open-inference":
      return createRemoteModel(model, options);
    default:
      return model satisfies never;
  }
}

export function namedCard(cards: readonly ModelCard[], name: string): ModelCard {
  const card = cards.find((one) => one.name === name);
  if (card) return card;
  const names = cards.map((one) => one.name).join(", ") || "none";
  const known = KNOWN_MODELS.find((model) => model.name === name);
  throw new ModelNotFoundError(
    `There is no model of that name. Installed: ${names}.${known ? howToInstall(known) : ""}`,
    { models: cards.map((one) => one.name) },
  );
}

/**
 * A closed vocabulary that holds every prompt, before an open one; a trained network, before rules; of several closed ones
 * the one with the better figures.
 */
export function bestCard(cards: readonly ModelCard[], modality: string, prompts: readonly Prompt[]): ModelCard {
  const fitting = cards.filter((card) => card.modalities.includes(modality));
  const couldBe = hint(cards, modality);
  if (fitting.length === 0) {
    const known = [...new Set(cards.flatMap((card) => card.modalities))].join(", ") || "none";
    throw new ModelNotFoundError(
      `No installed model reads ${modality} images; the installed ones read: ${known}.${couldBe}`,
    );
  }
  // Of two that are alike the one on this machine: an image leaves it where nothing else will do, or where it was asked for.
  const trainedFirst = fitting.toSorted(
    (a, b) => Number(b.trained) - Number(a.trained) || Number(isRemote(a)) - Number(isRemote(b)),
  );
  // Everything is asked for: the one that knows most.
  if (prompts.length === 0) {
    const reach = (card: ModelCard) => (card.vocabulary === "open" ? Number.MAX_SAFE_INTEGER : card.targets.length);
    return trainedFirst.reduce((best, card) =>
      card.trained === best.trained && reach(card) > reach(best) ? card : best,
    );
  }
  const knowsAll = ({ targets }: ModelCard) =>
    prompts.every(({ text }) => resolveTarget(text, targets).kind === "found");
  const closed = trainedFirst.filter((card) => card.vocabulary === "closed" && knowsAll(card));
  const best =
    bestByFigures(
      closed.filter(({ trained }) => trained === closed[0]?.trained),
      prompts,
    ) ?? trainedFirst.find((card) => card.vocabulary === "open");
  if (best) return best;
  const targets = [...new Set(trainedFirst.flatMap((card) => card.targets.map((target) => target.name)))];
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

function isRemote({ engine }: ModelCard): boolean {
  return engine === "azure-ml" || engine === "open-inference";
}

function howToInstall({ name }: KnownModel): string {
  return ` ${name} can be installed: bin/parse3d models pull ${name}`;
}
