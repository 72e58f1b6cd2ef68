import { createHash, timingSafeEqual } from "node:crypto";
import type { Middleware } from "koa";
import { contract, type Route } from "#server/contract/index.ts";
import type { Access } from "../config.ts";
import type { RequestState } from "./call.ts";
import { UnauthenticatedError } from "./http-error.ts";

/** The page at /ui holds no data: its script asks for them, with a token. */
const openPaths = new Set(["/ui", ...Object.values<Route>(contract).flatMap(({ open, path }) => (open ? [path] : []))]);

/** Asks for a bearer token (RFC 6750) where one is configured; says who the caller is. */
export function authenticate(access: Access): Middleware<RequestState> {
  if (access.kind === "loopback") {
    return (ctx, next) => {
      ctx.state.owner = "local";
      return next();
    };
  }
  const known = access.tokens.map(digest);
  return (ctx, next) => {
    if (openPaths.has(ctx.path)) return next();
    const given = digest(/^Bearer +(\S+)$/i.exec(ctx.get("Authorization"))?.[1] ?? "");
    let match: Buffer | undefined;
    for (const one of known) if (timingSafeEqual(one, given)) match = one;
    if (!match) throw new UnauthenticatedError("A valid token is needed: send the header Authorization: Bearer TOKEN.");
    ctx.state.owner = match.toString("hex").slice(0, 16);
    return next();
  };
}

/** Of equal length whatever the token, so that comparing takes the same time. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
