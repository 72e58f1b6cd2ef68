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
      await enabled(routing).put(body);
      return body;
    },
    removeRule: async ({ params }) => {
      const removed = await enabled(routing).remove(params.id);
      if (!removed) throw noRule();
      return removed;
    },
    testRules: ({ body }, { signal }) => enabled(routing).test(body, { signal }),
    backfillRule: async ({ params, body }, { signal }) => {
      const plan = await enabled(routing).backfill(params.id, body, { signal });
      if (!plan) throw noRule();
      return plan;
    },
    stopBackfill: async ({ params }) => ({
      rule: params.id,
      removed: await enabled(routing).stopBackfill(params.id),
    }),
  };
}

function noRule(): HttpError {
  return new HttpError("not-found", "There is no such rule. GET /v1/rules lists them.");
}

/** @throws HttpError not-found */
export function enabled(routing: Routing | undefined): Routing {
  if (routing) return routing;
  throw new HttpError(
    "not-found",
    "This server routes nothing: set PARSE3D_ORTHANC_URL or PARSE3D_ROUTING_SOURCE=qido, and PARSE3D_JOBS=durable or PARSE3D_DATABASE_URL.",
  );
}
