import type { ModelCard } from "#models/index.ts";
import type { VocabularyView } from "#server/contract/index.ts";
import type { Handlers } from "./handlers.ts";

/** The models that are installed now. */
export type InstalledModels = () => Promise<readonly ModelCard[]> | readonly ModelCard[];

export function modelHandlers(installed: InstalledModels): Pick<Handlers, "listModels" | "readVocabulary"> {
  return {
    listModels: async () => ({ models: await installed() }),
    readVocabulary: async ({ query: { modality } }) => {
      const cards = await installed();
      const fitting = cards.filter(({ modalities }) => modality === undefined || modalities.includes(modality));
      return {
        ...(modality !== undefined && { modality }),
        open: fitting.some(({ vocabulary }) => vocabulary === "open"),
        targets: unite(fitting),
      };
    },
  };
}

/** Each target once, with the names of all models that know it, in the order of the models. */
function unite(cards: readonly ModelCard[]): VocabularyView["targets"] {
  const byName = new Map<string, VocabularyView["targets"][number]>();
  for (const { name: model, targets } of cards) {
    for (const { name, synonyms, code, sided, phrases } of targets) {
      const known = byName.get(name);
      const term = known?.code ?? code;
      const sentences = { ...phrases, ...known?.phrases };
      byName.set(name, {
        name,
        synonyms: [...new Set([...(known?.synonyms ?? []), ...synonyms])],
        ...(term && { code: term }),
        ...((known?.sided ?? sided) && { sided: true }),
        ...(Object.keys(sentences).length > 0 && { phrases: sentences }),
        models: [...(known?.models ?? []), model],
      });
    }
  }
  return [...byName.values()];
}
