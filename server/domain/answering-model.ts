import type { ModelCard } from "#models/index.ts";

/** What a result tells of the model that answered. The last three are absent in results of before they were told. */
export interface AnsweringModel
  extends Pick<ModelCard, "name" | "version" | "title" | "trained">,
    Partial<Pick<ModelCard, "licence" | "nonCommercial" | "intendedUse">> {
  /** In words, like "the CPU". */
  readonly computedOn?: string;
}

export function answeringModel(
  { name, version, title, trained, licence, nonCommercial, intendedUse }: ModelCard,
  computedOn: string | undefined,
): AnsweringModel {
  const told = { name, version, title, trained, licence, nonCommercial, intendedUse };
  return { ...told, ...(computedOn !== undefined && { computedOn }) };
}
