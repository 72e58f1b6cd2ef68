import type { RequestInstance } from "dicomweb-client";
import type { Attempt } from "./raw-answer.ts";

/**
 * The request that dicomweb-client would send. It spells paths and queries; the sending is ours, because what emulates a
 * browser's XMLHttpRequest for Node has neither separate time limits nor a bound on the answer, and follows redirects
 * with our credentials in hand.
 *
 * @param ask calls one method of the client with the request instance it is given. What that call returns never
 * settles, as no answer reaches it.
 */
export function recordedRequest(ask: (options: { readonly instance: RequestInstance }) => unknown): Attempt {
  const headers: Record<string, string> = {};
  let line: Pick<Attempt, "method" | "url"> | undefined;
  let sent: Attempt | undefined;
  ask({
    instance: {
      open: (method, url) => {
        line = { method: method.toUpperCase() === "GET" ? "GET" : "POST", url };
      },
      setRequestHeader: (name, value) => {
        headers[name] = value;
      },
      send: () => {
        if (line) sent = { ...line, headers };
      },
    },
  });
  if (!sent) throw new TypeError("dicomweb-client sent no request");
  return sent;
}
