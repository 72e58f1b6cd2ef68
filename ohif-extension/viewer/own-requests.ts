import type { IncomingMessage } from "node:http";

/**
 * Why a request is refused, or undefined where it may pass. The viewer answers this machine's own names only (a page that
 * points its own name at 127.0.0.1 gets nothing), and pages of other origins cause nothing.
 */
export function refusal({ method, headers }: IncomingMessage): string | undefined {
  const host = headers.host ?? "";
  if (!/^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i.test(host)) {
    return "This viewer answers to localhost and 127.0.0.1 only.";
  }
  const { origin } = headers;
  const isRead = method === "GET" || method === "HEAD";
  if (!isRead && origin !== undefined && origin !== `http://${host}`) {
    return "Pages of other origins may not use this viewer.";
  }
  return undefined;
}
