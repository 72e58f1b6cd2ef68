import { join } from "node:path";
import type { Plugin } from "rolldown";
import { z } from "zod";
import { contract, MergeMode, ModelName, Output, Problem } from "../../server/contract/index.ts";
import { clientRoutes } from "../src/api/client-routes.ts";
import type { Definitions, JsonSchema } from "../src/api/schema-check.ts";

const id = "\0contract";
const checks = join(import.meta.dirname, "../src/api/schema-check.ts");

/**
 * Puts in the contract's place what the panel needs of it: method and path of its routes, and their replies as JSON Schema.
 * zod stays with the server.
 */
export const contractModule: Plugin = {
  name: "contract",
  resolveId: (source) => (source === "#server/contract/index.ts" ? id : undefined),
  load: (loaded) => (loaded === id ? moduleText() : undefined),
};

function moduleText(): string {
  const { schemas, definitions } = clientContract();
  const check = (name: string) => `schemaCheck(schemas[${JSON.stringify(name)}], definitions)`;
  const routes = clientRoutes.map((name) => {
    const { kind, method, path } = contract[name];
    const fields = JSON.stringify({ kind, method, path }).slice(1, -1);
    if (kind === "bytes") return `  ${name}: { ${fields} },`;
    return `  ${name}: { ${fields}, ${kind === "json" ? "reply" : "event"}: ${check(name)} },`;
  });
  return [
    `import { schemaCheck } from ${JSON.stringify(checks)};`,
    `const definitions = ${JSON.stringify(definitions)};`,
    `const schemas = ${JSON.stringify(schemas)};`,
    ...Object.keys(named).map((name) => `export const ${name} = ${check(name)};`),
    `export const contract = {\n${routes.join("\n")}\n};`,
  ].join("\n");
}

const named = { MergeMode, ModelName, Output, Problem };

/** The replies of all routes as JSON Schema, by route; what several share stands once, among the definitions. */
export function clientContract(): {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly definitions: Definitions;
} {
  const replies = clientRoutes.flatMap((name): [string, z.ZodType][] => {
    const route = contract[name];
    if (route.kind === "bytes") return [];
    return [[name, route.kind === "json" ? route.reply : route.event]];
  });
  const all = z.toJSONSchema(z.object({ ...named, ...Object.fromEntries(replies) }), {
    io: "output",
    reused: "ref",
    override: ({ jsonSchema }) => {
      delete jsonSchema.description;
      // Moments are shown to nobody; zod's pattern for them is long.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      delete jsonSchema.format;
      for (const keyword of unread) delete jsonSchema[keyword];
      // Unknown properties pass; bounds of exact integers say nothing.
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      if (jsonSchema.items === false) delete jsonSchema.items;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  // zod's type of a JSON Schema is wider than what it writes for these.
  return shortened(all.properties as Record<string, JsonSchema>, all.$defs as Definitions);
}

/** What schema-check.ts does not look at. */
const unread = ["minItems", "maxItems", "minLength", "maxLength", "propertyNames"] as const;

/** Definitions that are no longer than a reference to them stand where they are meant; the others get short names. */
function shortened(schemas: Readonly<Record<string, JsonSchema>>, definitions: Definitions) {
  const isShort = (name: string) => JSON.stringify(definitions[name]).length <= 48;
  const names = new Map(
    Object.keys(definitions)
      .filter((name) => !isShort(name))
      .map((name, n) => [name, n.toString(36)]),
  );
  const rewritten = <T>(value: T): T =>
    JSON.parse(JSON.stringify(value), (_key, part: unknown) => {
      const reference = (part as JsonSchema | null)?.$ref;
      const name = typeof reference === "string" ? reference.slice(reference.lastIndexOf("/") + 1) : undefined;
      if (name === undefined) return part;
      const short = names.get(name);
      return short === undefined ? rewritten(definitions[name]) : { ...(part as JsonSchema), $ref: short };
    });
  return {
    schemas: rewritten(schemas),
    definitions: Object.fromEntries(
      [...names].map(([name, short]) => [short, rewritten(definitions[name])]),
    ) as Definitions,
  };
}
