import { join } from "node:path";
import type { Plugin } from "rolldown";
import { z } from "zod";
import { contract, MergeMode, ModelName, Problem, type Route } from "../../server/contract/index.ts";

const id = "\0contract";
const checks = join(import.meta.dirname, "../src/api/schema-check.ts");

/**
 * Puts in the contract's place what a client needs of it: method and path of each route, and its replies as JSON Schema.
 * zod stays with the server.
 */
export const contractModule: Plugin = {
  name: "contract",
  resolveId: (source) => (source === "#server/contract/index.ts" ? id : undefined),
  load: (loaded) => (loaded === id ? moduleText() : undefined),
};

function moduleText(): string {
  const { properties, $defs } = contractSchemas();
  const check = (name: string) => `schemaCheck(schemas[${JSON.stringify(name)}], definitions)`;
  const routes = Object.entries<Route>(contract).map(([name, { kind, method, path }]) => {
    const what = { json: "reply", events: "event", upload: undefined }[kind];
    const fields = JSON.stringify({ kind, method, path }).slice(1, -1);
    return `  ${name}: { ${fields}${what ? `, ${what}: ${check(name)}` : ""} },`;
  });
  return [
    `import { schemaCheck } from ${JSON.stringify(checks)};`,
    `const definitions = ${JSON.stringify($defs)};`,
    `const schemas = ${JSON.stringify(properties)};`,
    ...Object.keys(named).map((name) => `export const ${name} = ${check(name)};`),
    `export const contract = {\n${routes.join("\n")}\n};`,
  ].join("\n");
}

const named = { MergeMode, ModelName, Problem };

/** All of them in one document, so that what several share is in it once. */
function contractSchemas() {
  const replies = Object.entries<Route>(contract).flatMap(([name, route]): [string, z.ZodType][] => {
    if (route.kind === "json") return [[name, route.reply]];
    return route.kind === "events" ? [[name, route.event]] : [];
  });
  const all = z.object({ ...named, ...Object.fromEntries(replies) });
  return z.toJSONSchema(all, {
    io: "output",
    reused: "ref",
    override: ({ jsonSchema }) => {
      delete jsonSchema.description;
      // Moments are shown to nobody; zod's pattern for them is long.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      delete jsonSchema.format;
    },
  });
}
