import type { Shape } from "../src/api/schema-check.ts";

/** The keywords of JSON Schema 2020-12 that zod writes for the contract's replies. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema | false;
  readonly prefixItems?: readonly JsonSchema[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

const primitives: Readonly<Record<string, "s" | "n" | "i" | "b" | "z">> = {
  string: "s",
  number: "n",
  integer: "i",
  boolean: "b",
  null: "z",
};

/**
 * A JSON Schema as the bundle carries it. Lengths and the spelling of moments are left out: nothing in the panel depends on
 * them; so is that an object has no other properties: a newer server may send more.
 * @returns with definitions by the names that the schema has for them
 */
export function shapeOf(schema: JsonSchema): Shape {
  const { $ref, type, format, enum: values, properties, pattern, items, prefixItems, additionalProperties } = schema;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf("/") + 1);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return ["|", choices.map(shapeOf)];
  if (values) return ["=", values];
  if (schema.const !== undefined) return ["=", [schema.const]];
  if (type === undefined) return "*";
  if (typeof type !== "string") return ["|", type.map((one) => shapeOf({ ...schema, type: one }))];
  if (type === "array") {
    if (prefixItems) return ["(", prefixItems.map(shapeOf)];
    return ["[", items ? shapeOf(items) : "*"];
  }
  if (type === "object") {
    if (!properties) return ["{", typeof additionalProperties === "object" ? shapeOf(additionalProperties) : "*"];
    return Object.fromEntries(
      Object.entries(properties).map(([name, of]) => [
        schema.required?.includes(name) ? name : `${name}?`,
        shapeOf(of),
      ]),
    );
  }
  if (pattern !== undefined && format === undefined) return ["~", pattern];
  const primitive = primitives[type];
  if (primitive === undefined) throw new TypeError(`no shape for JSON Schema's type ${type}`);
  return primitive === "n" || primitive === "i" ? bounded(primitive, schema) : primitive;
}

/** Bounds of exact integers say nothing. */
function bounded(type: "n" | "i", { minimum, maximum }: JsonSchema): Shape {
  const [low, high] = [
    minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum,
    maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum,
  ];
  if (low === undefined && high === undefined) return type;
  if (low === undefined) throw new TypeError("no shape for an upper bound without a lower one");
  return high === undefined ? ["<", type, low] : ["<", type, low, high];
}
