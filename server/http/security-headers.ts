import type { Middleware } from "koa";
import type { RequestState } from "./call.ts";

/** Nothing that this server sends is to be cached, framed, sniffed, or to load anything else. */
export const securityHeaders: Middleware<RequestState> = (ctx, next) => {
  ctx.set({
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
  return next();
};
