import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Koa from "koa";
import type { ProbabilityFiles } from "#server/probabilities/index.ts";
import type { ReviewStore } from "#server/reviews/index.ts";
import type { Routing } from "#server/routing/index.ts";
import type { TaskRunner } from "#server/tasks/index.ts";
import type { AuditLog } from "../audit-log.ts";
import { ConfigError, type HttpConfig, isLoopback } from "../config.ts";
import type { Logger } from "../logger.ts";
import { authenticate } from "./auth.ts";
import type { RequestState } from "./call.ts";
import { closable } from "./close-server.ts";
import { type HealthParts, healthHandlers } from "./health.ts";
import { hookHandlers } from "./hooks.ts";
import { HttpError } from "./http-error.ts";
import { jobAccess } from "./job-access.ts";
import { type JobParts, jobHandlers } from "./jobs.ts";
import { listen } from "./listen.ts";
import type { Metrics } from "./metrics.ts";
import { modelHandlers } from "./models.ts";
import { refuseForeignHosts, shareWithOrigins } from "./origin.ts";
import { pageRoutes } from "./pages.ts";
import { pictureHandlers } from "./pictures.ts";
import { probabilityHandlers } from "./probabilities.ts";
import { createRequestScopes } from "./request-scope.ts";
import { reviewHandlers } from "./reviews.ts";
import { contractRoutes } from "./routes.ts";
import { ruleHandlers } from "./rules.ts";
import { securityHeaders } from "./security-headers.ts";
import { segmentHandlers } from "./segment.ts";
import { discardUnreadBody } from "./unread-body.ts";
import { workerHandlers } from "./workers.ts";

export interface HttpServerParts extends HealthParts, JobParts {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly reviews: ReviewStore;
  readonly tasks: TaskRunner;
  readonly probabilities: Pick<ProbabilityFiles, "find" | "notice">;
  /** Asked before a job or a file is taken. @throws where there is no room for it */
  readonly admit?: () => Promise<void>;
  /** Absent where nothing is routed. */
  readonly routing?: Routing;
  /** Absent where there is no database. */
  readonly audit?: AuditLog;
}

/** A server that listens. Disposing it ends event streams and waiting requests, and lets the others finish. */
export interface HttpServer extends AsyncDisposable {
  /** Like "http://127.0.0.1:8117". */
  readonly url: string;
  readonly port: number;
}

/** @throws ConfigError where the address cannot be listened on, or would be open to others without a token */
export async function startHttpServer(config: HttpConfig, parts: HttpServerParts): Promise<HttpServer> {
  const { access, port: wanted } = config;
  if (access.kind === "loopback" && !isLoopback(access.host)) {
    throw new ConfigError(["PARSE3D_HOST: an address that others can reach needs a token; set PARSE3D_TOKEN"]);
  }
  const scopes = createRequestScopes(parts);
  const app = createApp(config, parts, scopes.middleware);
  const headersTimeout = Math.min(60_000, config.requestTimeoutMs);
  const server = createServer({ requestTimeout: config.requestTimeoutMs, headersTimeout }, app.callback());
  const close = closable(server);
  await listen(server, access.host, wanted);
  const { port } = server.address() as AddressInfo;
  const url = `http://${access.host.includes(":") ? `[${access.host.replace(/[[\]]/g, "")}]` : access.host}:${port}`;
  parts.logger.info({ event: "http.listening", host: access.host, port });
  return {
    url,
    port,
    [Symbol.asyncDispose]: async () => {
      scopes.shutDown();
      await close(config.shutdownMs);
      await scopes.settled();
      parts.logger.info({ event: "http.closed", port });
    },
  };
}

function createApp(config: HttpConfig, parts: HttpServerParts, scope: Koa.Middleware<RequestState>): Koa<RequestState> {
  const { queue, models, routing } = parts;
  const jobOf = jobAccess(parts.queue);
  const handlers = {
    ...jobHandlers(parts),
    ...modelHandlers(models),
    ...segmentHandlers(queue),
    ...probabilityHandlers({ ...parts, jobOf }),
    ...pictureHandlers({ ...parts, jobOf }),
    ...reviewHandlers({ ...parts, jobOf }),
    ...ruleHandlers(routing),
    ...hookHandlers(routing),
    ...workerHandlers(queue),
    ...healthHandlers(parts),
  };
  const routes = contractRoutes(handlers, { ...config, admit: parts.admit });
  const pages = pageRoutes(parts);
  const app = new Koa<RequestState>();
  // What reaches koa itself is a connection that broke under an answer.
  app.on("error", (error) => parts.logger.debug({ event: "http.connection-broke", err: error }));
  app.use(discardUnreadBody);
  app.use(scope);
  app.use(securityHeaders);
  app.use(refuseForeignHosts(config.access));
  app.use(shareWithOrigins(config.cors));
  app.use(authenticate(config.access));
  app.use(routes.routes());
  app.use(pages.routes());
  app.use((ctx) => {
    const methods = allowedMethods([routes, pages], ctx.path);
    if (methods.length === 0) {
      throw new HttpError("not-found", "There is nothing at this address. GET /docs tells what there is.");
    }
    const allow = { Allow: [...methods, "OPTIONS"].join(", ") };
    if (ctx.method !== "OPTIONS") {
      throw new HttpError("method-not-allowed", `This address takes ${methods.join(", ")}.`, allow);
    }
    ctx.set(allow);
    ctx.status = 204;
  });
  return app;
}

function allowedMethods(routers: readonly ReturnType<typeof pageRoutes>[], path: string): readonly string[] {
  return [
    ...new Set(routers.flatMap((router) => router.match(path, "OPTIONS").path.flatMap(({ methods }) => methods))),
  ];
}
