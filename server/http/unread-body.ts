import type { Middleware } from "koa";
import type { RequestState } from "./call.ts";

const patienceMs = 2000;

/**
 * Lets an answer that is given before the whole body has come reach the client: closing at once would reset the
 * connection under it. What is left of the body is thrown away for a moment; then the connection is closed.
 */
export const discardUnreadBody: Middleware<RequestState> = async (ctx, next) => {
  await next();
  const { req, res } = ctx;
  if (req.complete || !hasBody(ctx.headers)) return;
  res.once("finish", () => {
    const timer = setTimeout(() => req.destroy(), patienceMs);
    req.once("close", () => clearTimeout(timer));
    req.on("error", () => {});
    req.resume();
  });
};

function hasBody(headers: Readonly<Record<string, unknown>>): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
