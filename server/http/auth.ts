import { createHash, timingSafeEqual } from "node:crypto";
import type { Middleware } from "koa";
import { contract, type Route } from "#server/contract/index.ts";
import type { Access } from "../config.ts";
import type { RequestState } from "./call.ts";
import { UnauthenticatedError } from "./http-error.ts";

/** The description of the API is no secret, and the page at /ui holds no data: its script asks for them, with a token. */
const openPaths = new Set([
  "/ui",
  "/docs",
  "/openapi.json",
  ...Object.values<Route>(contract).flatMap(({ open, path }) => (open ? [path] : [])),
]);

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
    // What a problem's type leads to is a part of /docs.
    if (openPaths.has(ctx.path) || ctx.path.startsWith("/problems/")) return next();
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
