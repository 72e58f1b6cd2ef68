import { InvalidInputError } from "./http-error.ts";
import type { FormFields } from "./upload.ts";

/**
 * Form fields as the contract names them: `prompts` may come several times or once as a JSON array; any other field
 * comes once.
 */
export function toInput(fields: FormFields): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...fields].map(([name, values]) => {
      if (name === "prompts") return [name, readPrompts(values)];
      if (values.length > 1) throw new InvalidInputError([{ at: `form.${name}`, message: "was given more than once" }]);
      return [name, values[0]];
    }),
  );
}

function readPrompts(values: readonly string[]): unknown {
  const [only] = values;
  if (values.length !== 1 || !only?.trimStart().startsWith("[")) return values;
  try {
    return JSON.parse(only);
  } catch {
    throw new InvalidInputError([{ at: "form.prompts", message: "begins like a JSON array, and is not one" }]);
  }
}
