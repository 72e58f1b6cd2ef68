import Router from "@koa/router";
import { ProblemCode } from "#server/contract/index.ts";
import type { RequestState } from "./call.ts";
import { docsPage, docsPolicy } from "./docs-page.ts";
import { HttpError } from "./http-error.ts";
import type { Metrics } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { uiPage, uiPolicy } from "./ui-page.ts";

/** What is there beside the contract: its description, for people and programs, a page to look at, and the metrics. */
export function pageRoutes({
  version,
  metrics,
}: {
  readonly version: string;
  readonly metrics: Metrics;
}): Router<RequestState> {
  const document = openApiDocument(version);
  const openApi = JSON.stringify(document);
  const docs = docsPage(document);
  const router = new Router<RequestState>();
  router.get("/openapi.json", (ctx) => {
    ctx.state.route = "openapi";
    ctx.type = "application/json";
    ctx.body = openApi;
  });
  router.get("/docs", (ctx) => {
    ctx.state.route = "docs";
    ctx.set("Content-Security-Policy", docsPolicy);
    ctx.type = "html";
    ctx.body = docs;
  });
  const ui = uiPage(version);
  router.get("/ui", (ctx) => {
    ctx.state.route = "ui";
    ctx.set("Content-Security-Policy", uiPolicy);
    ctx.type = "html";
    ctx.body = ui;
  });
  router.get("/problems/:code", (ctx) => {
    ctx.state.route = "problems";
    const code = ProblemCode.safeParse(ctx.params.code);
    if (!code.success) throw new HttpError("not-found", "There is no such kind of problem. GET /docs lists them.");
    ctx.redirect(`/docs#problem-${code.data}`);
  });
  router.get("/metrics", async (ctx) => {
    ctx.state.route = "metrics";
    const { contentType, body } = await metrics.text();
    ctx.set("Content-Type", contentType);
    ctx.body = body;
  });
  return router;
}
