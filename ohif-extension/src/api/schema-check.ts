/** The keywords of JSON Schema 2020-12 that the contract's replies need. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

export type Definitions = Readonly<Record<string, JsonSchema>>;

export interface SchemaCheck {
  /** @throws Error that names the first place that does not fit */
  parse(value: unknown): unknown;
  safeParse(value: unknown): { readonly success: true; readonly data: unknown } | { readonly success: false };
}

/**
 * Checks values as the contract's zod schema does, from the JSON Schema of it: zod itself would be half of the bundle.
 * Properties that the schema does not know pass: a newer server may send more.
 */
export function schemaCheck(schema: JsonSchema, definitions: Definitions): SchemaCheck {
  return {
    parse: (value) => {
      const misfit = firstMisfit(value, schema, definitions, "");
      if (misfit !== undefined) throw new Error(`unexpected value at ${misfit || "/"}`);
      return value;
    },
    safeParse: (data) =>
      firstMisfit(data, schema, definitions, "") === undefined ? { success: true, data } : { success: false },
  };
}

/** @returns a JSON pointer to the first place that does not fit */
function firstMisfit(value: unknown, schema: JsonSchema, definitions: Definitions, at: string): string | undefined {
  const { $ref } = schema;
  if ($ref !== undefined) {
    const definition = definitions[$ref.slice($ref.lastIndexOf("/") + 1)];
    return definition ? firstMisfit(value, definition, definitions, at) : at;
  }
  const fits = (one: JsonSchema) => firstMisfit(value, one, definitions, at) === undefined;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && !choices.some(fits)) return at;
  const types = typeof schema.type === "string" ? [schema.type] : schema.type;
  if (types && !types.some((type) => hasType(value, type))) return at;
  if (schema.const !== undefined && value !== schema.const) return at;
  if (schema.enum && !schema.enum.includes(value)) return at;
  if (typeof value === "string" && schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value))
    return at;
  if (typeof value === "number" && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value))) return at;
  if (Array.isArray(value)) return misfitInList(value, schema, definitions, at);
  if (typeof value === "object" && value !== null) return misfitInObject({ ...value }, schema, definitions, at);
  return undefined;
}

function misfitInList(
  list: readonly unknown[],
  { items, prefixItems = [] }: JsonSchema,
  definitions: Definitions,
  at: string,
): string | undefined {
  if (list.length < prefixItems.length) return at;
  for (const [index, item] of list.entries()) {
    const schema = prefixItems[index] ?? items;
    const misfit = schema && firstMisfit(item, schema, definitions, `${at}/${index}`);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

function misfitInObject(
  object: Readonly<Record<string, unknown>>,
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  definitions: Definitions,
  at: string,
): string | undefined {
  for (const name of required) if (object[name] === undefined) return `${at}/${name}`;
  for (const [name, item] of Object.entries(object)) {
    const others = typeof additionalProperties === "object" ? additionalProperties : undefined;
    const schema = properties[name] ?? others;
    const misfit = schema && item !== undefined && firstMisfit(item, schema, definitions, `${at}/${name}`);
    if (typeof misfit === "string") return misfit;
  }
  return undefined;
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
