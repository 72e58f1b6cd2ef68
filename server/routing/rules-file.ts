import { parse, YAMLParseError } from "yaml";
import { z } from "zod";
import { RoutingRule } from "#server/contract/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { checkRule } from "./check-rule.ts";

const RulesFile = z.union([
  z.strictObject({ rules: z.array(RoutingRule).min(1) }),
  RoutingRule.transform((rule) => ({ rules: [rule] })),
]);

/**
 * Rules from YAML or JSON: one rule, or a list under `rules`.
 * @throws InvalidRequestError that names everything that does not fit, InvalidPromptError
 */
export function parseRulesFile(text: string): readonly RoutingRule[] {
  const document = parseYaml(text);
  const several = typeof document === "object" && document !== null && "rules" in document;
  const parsed = (several ? RulesFile.options[0] : RulesFile.options[1]).safeParse(document);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`);
    throw new InvalidRequestError(
      `The rules do not fit (docs/rules.schema.json says how): ${issues.join("; ")}`.slice(0, 2000),
    );
  }
  const { rules } = parsed.data;
  for (const rule of rules) checkRule(rule);
  const twice = rules.find(({ id }, n) => rules.findIndex((other) => other.id === id) < n);
  if (twice) throw new InvalidRequestError(`Two rules are called ${twice.id}.`);
  return rules;
}

function parseYaml(text: string): unknown {
  try {
    // Aliases can make a small file a large document; nobody needs them here.
    return parse(text, { maxAliasCount: 0, prettyErrors: true });
  } catch (cause) {
    const where = cause instanceof YAMLParseError ? cause.message.split("\n")[0] : "aliases are not taken";
    throw new InvalidRequestError(`The file is not YAML: ${where}`, { cause });
  }
}

/** The JSON Schema of a rules file, for editors. */
export function rulesFileSchema(): Readonly<Record<string, unknown>> {
  return { title: "Parse3D routing rules", ...z.toJSONSchema(RulesFile, { io: "input" }) };
}
