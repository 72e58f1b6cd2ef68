import type { Routing } from "#server/routing/index.ts";
import type { Handlers } from "./handlers.ts";
import { HttpError } from "./http-error.ts";

/** Routing rules; where nothing is routed, there are none. */
export function ruleHandlers(
  routing: Routing | undefined,
): Pick<Handlers, "listRules" | "putRule" | "removeRule" | "testRules" | "backfillRule" | "stopBackfill"> {
  return {
    listRules: async () => ({ rules: await enabled(routing).rules() }),
    putRule: async ({ body }) => {
      const warnings = await enabled(routing).put(body);
      return { ...body, ...(warnings.length > 0 && { warnings }) };
    },
    removeRule: async ({ params }) => enabled(routing).remove(params.id),
    testRules: ({ body }, { signal }) => enabled(routing).test(body, { signal }),
    backfillRule: async ({ params, body }, { signal }) => enabled(routing).backfill(params.id, body, { signal }),
    stopBackfill: async ({ params }) => ({
      rule: params.id,
      removed: await enabled(routing).stopBackfill(params.id),
    }),
  };
}

/** @throws HttpError not-found */
export function enabled(routing: Routing | undefined): Routing {
  if (routing) return routing;
  throw new HttpError(
    "not-found",
    "This server routes nothing: set PARSE3D_ORTHANC_URL or PARSE3D_ROUTING_SOURCE=qido, and PARSE3D_JOBS=durable or PARSE3D_DATABASE_URL.",
  );
}
