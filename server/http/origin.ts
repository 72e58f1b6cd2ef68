import type { Middleware } from "koa";
import { type Access, type CorsPolicy, isLoopback } from "../config.ts";
import type { RequestState } from "./call.ts";
import { ForbiddenError } from "./http-error.ts";

const exposed =
  "Location, Retry-After, X-Request-Id, Content-Disposition, Parse3D-Findings, Parse3D-Job, Parse3D-Model, Parse3D-Notes";

/**
 * A server without tokens answers only to its own names: a page that points its own name at 127.0.0.1 (DNS rebinding)
 * is refused.
 */
export function refuseForeignHosts(access: Access): Middleware<RequestState> {
  return (ctx, next) => {
    if (access.kind === "loopback" && !isLoopback(hostName(ctx.get("Host")))) {
      throw new ForbiddenError("This server answers to localhost and 127.0.0.1 only, unless a token is configured.");
    }
    return next();
  };
}

/**
 * Cross-origin resource sharing (Fetch standard, section 3.2). Pages of other origins than those allowed can neither read
 * an answer nor cause anything: whatever is not a read is refused.
 */
export function shareWithOrigins(policy: CorsPolicy): Middleware<RequestState> {
  return async (ctx, next) => {
    ctx.vary("Origin");
    const origin = ctx.get("Origin");
    if (origin === "") return next();
    const shared = isAllowed(origin, policy);
    if (shared) {
      ctx.set("Access-Control-Allow-Origin", origin);
      ctx.set("Access-Control-Expose-Headers", exposed);
    }
    if (ctx.method === "OPTIONS" && ctx.get("Access-Control-Request-Method") !== "") {
      if (shared) allow(ctx);
      ctx.status = 204;
      return;
    }
    const own = hostOf(origin) === ctx.get("Host");
    if (!shared && !own && ctx.method !== "GET" && ctx.method !== "HEAD") {
      throw new ForbiddenError(
        "Pages of this origin may not use the server. PARSE3D_CORS_ORIGINS lists those that may.",
      );
    }
    return next();
  };
}

function allow(ctx: Parameters<Middleware<RequestState>>[0]): void {
  ctx.set({
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "600",
  });
  if (ctx.get("Access-Control-Request-Private-Network") === "true") {
    ctx.set("Access-Control-Allow-Private-Network", "true");
  }
}

function isAllowed(origin: string, policy: CorsPolicy): boolean {
  switch (policy.kind) {
    case "none":
      return false;
    case "loopback":
      return isLoopback(hostName(hostOf(origin) ?? ""));
    case "list":
      return policy.origins.includes(origin);
    default:
      return policy satisfies never;
  }
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/?#@]+)$/.exec(origin)?.[1];
}

/** A host without its port. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, "").toLowerCase();
}
