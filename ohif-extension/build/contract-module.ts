import { join } from "node:path";
import type { Plugin } from "rolldown";
import { z } from "zod";
import { contract, MergeMode, ModelName, Output, Problem } from "../../server/contract/index.ts";
import { clientRoutes } from "../src/api/client-routes.ts";
import type { Definitions, Shape } from "../src/api/schema-check.ts";
import { type JsonSchema, shapeOf } from "./shape-of-schema.ts";

const id = "\0contract";
const checks = join(import.meta.dirname, "../src/api/schema-check.ts");

/**
 * Puts in the contract's place what the panel needs of it: method and path of its routes, and the shapes of their replies.
 * zod stays with the server.
 */
export const contractModule: Plugin = {
  name: "contract",
  resolveId: (source) => (source === "#server/contract/index.ts" ? id : undefined),
  load: (loaded) => (loaded === id ? moduleText() : undefined),
};

function moduleText(): string {
  const { shapes, definitions } = clientContract();
  const check = (name: string) => `schemaCheck(${JSON.stringify(shapes[name])}, definitions)`;
  const routes = clientRoutes.map((name) => {
    const { kind, method, path } = contract[name];
    const fields = JSON.stringify({ kind, method, path }).slice(1, -1);
    if (kind === "bytes") return `  ${name}: { ${fields} },`;
    return `  ${name}: { ${fields}, ${kind === "json" ? "reply" : "event"}: ${check(name)} },`;
  });
  return [
    `import { schemaCheck } from ${JSON.stringify(checks)};`,
    `const definitions = ${JSON.stringify(definitions)};`,
    ...Object.keys(named).map((name) => `export const ${name} = ${check(name)};`),
    `export const contract = {\n${routes.join("\n")}\n};`,
  ].join("\n");
}

const named = { MergeMode, ModelName, Output, Problem };

/** The replies of all routes, by route; what several share stands once, among the definitions. */
export function clientContract(): {
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly definitions: Definitions;
} {
  const replies = clientRoutes.flatMap((name): [string, z.ZodType][] => {
    const route = contract[name];
    if (route.kind === "bytes") return [];
    return [[name, route.kind === "json" ? route.reply : route.event]];
  });
  const all = z.toJSONSchema(z.object({ ...named, ...Object.fromEntries(replies) }), { io: "output", reused: "ref" });
  // zod's type of a JSON Schema is wider than what it writes for these.
  const shapesOf = (schemas: unknown) =>
    Object.fromEntries(
      Object.entries(schemas as Record<string, JsonSchema>).map(([name, schema]) => [name, shapeOf(schema)]),
    );
  return shortened(shapesOf(all.properties), shapesOf(all.$defs));
}

/** A definition that is no longer than this stands where it is meant, in JSON. */
const SHORT = 16;

/** The others get short names, in capitals: no primitive's. */
function shortened(shapes: Definitions, definitions: Definitions) {
  const long = Object.keys(definitions).filter((name) => JSON.stringify(definitions[name]).length > SHORT);
  const names = new Map(long.map((name, n) => [name, n.toString(36).toUpperCase()]));
  const rewritten = (shape: Shape): Shape =>
    JSON.parse(JSON.stringify(shape), (_key, part: unknown) =>
      typeof part === "string" && definitions[part] !== undefined
        ? (names.get(part) ?? rewritten(definitions[part]))
        : part,
    );
  const all = (of: Definitions) => Object.fromEntries(Object.entries(of).map(([name, one]) => [name, rewritten(one)]));
  return {
    shapes: all(shapes),
    definitions: Object.fromEntries(
      [...names].map(([name, short]) => [short, rewritten(definitions[name] ?? "*")]),
    ) as Definitions,
  };
}
