import { join } from "node:path";
import type { Plugin } from "rolldown";
import { z } from "zod";
import { contract, MergeMode, ModelName, Problem } from "../../server/contract/index.ts";
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

const named = { MergeMode, ModelName, Problem };

/** The replies of all routes as JSON Schema, by route; what several share stands once, among the definitions. */
export function clientContract(): {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly definitions: Definitions;
} {
  const replies = clientRoutes.map((name): [string, z.ZodType] => {
    const route = contract[name];
    return [name, route.kind === "json" ? route.reply : route.event];
  });
  const all = z.toJSONSchema(z.object({ ...named, ...Object.fromEntries(replies) }), {
    io: "output",
    reused: "ref",
    override: ({ jsonSchema }) => {
      delete jsonSchema.description;
      // Moments are shown to nobody; zod's pattern for them is long.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      delete jsonSchema.format;
    },
  });
  // zod's type of a JSON Schema is wider than what it writes for these.
  return { schemas: all.properties as Record<string, JsonSchema>, definitions: all.$defs as Definitions };
}
