import { DomainError } from "#converters/errors.ts";

export class RuleNotFoundError extends DomainError {
  override readonly name = "RuleNotFoundError";
  readonly code = "rule-not-found";
  readonly #rules: readonly string[];

  /** @param rules ids of those that there are */
  constructor(id: string, rules: readonly string[]) {
    super(`There is no such rule as ${id}; the rules are: ${rules.join(", ") || "none"}.`);
    this.#rules = rules;
  }

  override get details() {
    return { rules: this.#rules };
  }
}
