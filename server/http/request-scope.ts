import { randomUUID } from "node:crypto";
import type { Middleware } from "koa";
import type { AuditLog } from "../audit-log.ts";
import type { Logger } from "../logger.ts";
import { auditInto } from "./audited.ts";
import type { RequestState } from "./call.ts";
import { ClientGoneError, ShuttingDownError } from "./http-error.ts";
import type { Metrics } from "./metrics.ts";
import { isForeseen, problemHeaders, toProblem } from "./problem.ts";

export interface RequestScopes {
  readonly middleware: Middleware<RequestState>;
  /** Ends event streams and waiting requests; from now on every request is refused. */
  shutDown(): void;
  /** When everything that was done is noted. */
  settled(): Promise<void>;
}

/** The outermost ring: gives each request its id, signal and logger, turns errors into problems, counts and logs. */
export function createRequestScopes({
  logger,
  metrics,
  audit: auditLog,
}: {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly audit?: AuditLog;
}): RequestScopes {
  const audit = auditInto(auditLog);
  const open = new Set<AbortController>();
  let stopping = false;

  const middleware: Middleware<RequestState> = async (ctx, next) => {
    const startedAt = performance.now();
    const requestId = randomUUID();
    const abort = new AbortController();
    open.add(abort);
    ctx.state = { requestId, owner: "", signal: abort.signal, logger: logger.child({ requestId }) };
    ctx.set("X-Request-Id", requestId);
    if (stopping) ctx.set("Connection", "close");
    ctx.res.once("close", () => {
      open.delete(abort);
      if (!ctx.res.writableFinished) abort.abort(new ClientGoneError());
      const route = ctx.state.route ?? "none";
      const ms = Math.round(performance.now() - startedAt);
      const { owner: actor, subject } = ctx.state;
      const done = { actor, action: route, requestId, status: ctx.res.statusCode };
      audit.note({ ...done, ...(subject !== undefined && { subject }) }, ctx.state.logger);
      metrics.countRequest({ route, method: ctx.method, status: ctx.res.statusCode, seconds: ms / 1000 });
      ctx.state.logger.info({ event: "http.request", route, method: ctx.method, status: ctx.res.statusCode, ms });
    });
    try {
      if (stopping) throw new ShuttingDownError();
      await next();
    } catch (error) {
      if (error instanceof ClientGoneError) {
        ctx.respond = false;
        ctx.res.destroy();
        return;
      }
      if (!isForeseen(error)) ctx.state.logger.error({ event: "http.broke", err: error });
      const problem = toProblem(error, requestId);
      ctx.status = problem.status;
      ctx.set(problemHeaders(error, problem));
      ctx.type = "application/problem+json";
      ctx.body = JSON.stringify(problem);
    }
  };

  return {
    middleware,
    shutDown: () => {
      stopping = true;
      for (const abort of open) abort.abort(new ShuttingDownError());
    },
    settled: () => audit.settled(),
  };
}
