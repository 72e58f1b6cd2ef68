import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from "node:http";
import { Agent as HttpsAgent, request as requestTls } from "node:https";
import { RemoteModelError } from "./remote-model-error.ts";

export interface RemoteRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent one after the other, never joined. */
  readonly body?: readonly Uint8Array[];
  /** From the request's first byte to the answer's last. */
  readonly timeoutMs: number;
  /** Longer answers are given up. */
  readonly maxAnswerBytes: number;
}

export interface RemoteAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends requests over connections that are kept for the next one. */
export type Exchange = (request: RemoteRequest) => Promise<RemoteAnswer>;

/**
 * One request and its whole answer, whatever its status. Redirections are not followed: a key and an image go to the address
 * that was configured and nowhere else.
 * @throws RemoteModelError "unreachable", "timeout", "cut-off", "too-large"
 */
export function openExchange(): Exchange {
  const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };
  return async ({ method, url, headers = {}, body = [], timeoutMs, maxAnswerBytes }) => {
    const plain = url.protocol === "http:";
    const length = body.reduce((sum, part) => sum + part.length, 0);
    const sent = (plain ? request : requestTls)(url, {
      method,
      agent: plain ? agents["http:"] : agents["https:"],
      headers: { ...headers, ...(method === "POST" && { "Content-Length": String(length) }) },
    });
    const late = setTimeout(() => sent.destroy(timeout(timeoutMs)), timeoutMs);
    try {
      return await whole(sent, body, maxAnswerBytes);
    } finally {
      clearTimeout(late);
      // An answer may come before the whole request was taken; what is read to its end stays open for the next.
      if (!sent.writableFinished) sent.destroy();
    }
  };
}

async function whole(sent: ClientRequest, body: readonly Uint8Array[], maxAnswerBytes: number): Promise<RemoteAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sent.once("response", resolve).on("error", (error) => reject(asFault(error, "unreachable")));
  for (const part of body) sent.write(part);
  sent.end();
  const response = await promise;
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of response as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > maxAnswerBytes) {
        throw new RemoteModelError(
          "too-large",
          `The server's answer is longer than ${maxAnswerBytes} bytes, which no answer of this model is. Check that the address is the model's.`,
        );
      }
      parts.push(part);
    }
  } catch (error) {
    throw asFault(sent.errored ?? error, "cut-off");
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts, length) };
}

function timeout(ms: number): RemoteModelError {
  return new RemoteModelError(
    "timeout",
    `The server that computes the model gave no whole answer within ${ms / 1000} s. Ask again, for fewer prompts at once, or give it more time in the model's manifest.`,
  );
}

/** Codes of errors before anything was sent; any other breaks an exchange that had begun. */
const NO_CONNECTION =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ERR_TLS_|CERT_|DEPTH_|SELF_|UNABLE_)/;

function asFault(error: unknown, stage: "unreachable" | "cut-off"): RemoteModelError {
  if (error instanceof RemoteModelError) return error;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
  if (stage === "unreachable" && NO_CONNECTION.test(code)) {
    return new RemoteModelError(
      "unreachable",
      `The server that computes the model cannot be reached (${code}). Check that it runs, its address in the model's manifest, and the network between.`,
      { cause: error },
    );
  }
  return new RemoteModelError(
    "cut-off",
    `The connection to the server that computes the model broke (${code}) before its answer was whole. Ask again; if it happens again, look at the server's log.`,
    { cause: error },
  );
}
