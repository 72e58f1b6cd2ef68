import { type IncomingMessage, request as plainRequest, type ServerResponse } from "node:http";
import { request as tlsRequest } from "node:https";
import { pipeline } from "node:stream/promises";

export interface ProxyTarget {
  /** The viewer's path that stands for `url`. */
  readonly prefix: string;
  readonly url: string;
  /** Added to each request, over what the browser sent. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Named in the answer where it cannot be reached. */
  readonly name: string;
}

/** Of one connection, not of the message (RFC 9110, section 7.6.1), or ours to decide. */
const notForwarded = new Set([
  "connection",
  "forwarded",
  "host",
  "keep-alive",
  "origin",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Hands a request on as it is and its answer back as it comes; 502 with plain words where nobody answers. */
export async function proxy(request: IncomingMessage, response: ServerResponse, target: ProxyTarget): Promise<void> {
  const url = new URL(`${target.url.replace(/\/$/, "")}${(request.url ?? "/").slice(target.prefix.length)}`);
  const send = url.protocol === "https:" ? tlsRequest : plainRequest;
  const hasBody = "content-length" in request.headers || "transfer-encoding" in request.headers;
  const outgoing = send(url, {
    method: request.method,
    headers: {
      ...kept(request.headers),
      // Archives write the addresses of their bulk data from it (RFC 7239).
      forwarded: `host="${request.headers.host ?? ""}";proto=http`,
      ...Object.fromEntries(Object.entries(target.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    },
  });
  const answer = Promise.withResolvers<IncomingMessage>();
  outgoing.once("response", answer.resolve);
  outgoing.on("error", answer.reject);
  response.once("close", () => outgoing.destroy());
  if (hasBody) pipeline(request, outgoing).catch(answer.reject);
  else outgoing.end();
  let incoming: IncomingMessage;
  try {
    incoming = await answer.promise;
  } catch {
    if (!response.headersSent && !response.destroyed) {
      response.writeHead(502, { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store" });
      response.end(`${target.name} does not answer.\n`);
    }
    return;
  }
  response.writeHead(incoming.statusCode ?? 502, kept(incoming.headers));
  // A quiet event stream: its reader waits for the headers.
  response.flushHeaders();
  await pipeline(incoming, response);
}

function kept(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !notForwarded.has(name)));
}
