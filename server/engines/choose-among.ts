import { DomainError } from "#converters/errors.ts";
import type { ModelCard } from "#models/index.ts";
import type { ModelRegistry } from "#server/domain/index.ts";
import { bestCard } from "./registry.ts";

/** Another machine has a better model for the question: it is to answer. */
export class ModelElsewhereError extends DomainError {
  override readonly name = "ModelElsewhereError";
  readonly code = "model-not-found";
  override readonly retryable = true;
  readonly #model: string;

  constructor(model: string) {
    super("Another machine has a better model for this question. Ask again.");
    this.#model = model;
  }

  override get details() {
    return { elsewhere: this.#model };
  }
}

/**
 * The same models; a question that names none goes to the best of all machines, so that the answer does not depend on
 * which of them took the job.
 * @param elsewhere what the other machines offer
 */
export function choosingAmong(models: ModelRegistry, elsewhere: readonly ModelCard[]): ModelRegistry {
  return {
    // The models themselves are their owner's to close.
    [Symbol.asyncDispose]: async () => {},
    cards: () => models.cards(),
    choose: async (query) => {
      if (query.name !== undefined) return models.choose(query);
      const own = await models.cards();
      const others = elsewhere.filter(({ name }) => !own.some((card) => card.name === name));
      if (others.length === 0) return models.choose(query);
      // In one order on every machine.
      const all = [...own, ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
      const best = bestCard(all, query.modality, query.prompts);
      if (!own.includes(best)) throw new ModelElsewhereError(best.name);
      return models.choose({ ...query, name: best.name });
    },
  };
}
