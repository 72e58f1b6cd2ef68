import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connectionFault, interruptionFault } from "./pacs-fault.ts";
import { Patience, type Timeouts } from "./patience.ts";
import type { Attempt, RawAnswer } from "./raw-answer.ts";

/**
 * Sends a request over a connection of the agent's, which is used again afterwards.
 * @throws PacsUnavailableError, PacsTimeoutError, the signal's reason after an abort
 */
export async function pooledExchange(
  { method, url, headers, body }: Attempt,
  agent: Agent,
  timeouts: Timeouts,
  signal: AbortSignal,
): Promise<RawAnswer> {
  signal.throwIfAborted();
  const secure = url.startsWith("https:");
  const length = body && { "Content-Length": body.reduce((sum, bytes) => sum + bytes.length, 0) };
  const outgoing = (secure ? httpsRequest : httpRequest)(url, { method, agent, headers: { ...headers, ...length } });
  const patience = new Patience(timeouts, (fault) => outgoing.destroy(fault));
  const response = await answerTo(outgoing, body, patience, signal, secure);
  return {
    status: response.statusCode ?? 0,
    header: (name) => [response.headers[name]].flat()[0],
    body: bodyOf(response, patience, signal),
    discard: () => response.destroy(),
  };
}

/** Sends the request; aborting destroys its socket, before and after the answer begins. */
async function answerTo(
  outgoing: ClientRequest,
  body: Attempt["body"],
  patience: Patience,
  signal: AbortSignal,
  secure: boolean,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  let answered = false;
  const stop = () => outgoing.destroy();
  signal.addEventListener("abort", stop, { once: true });

  patience.waitFor("connect");
  outgoing.once("socket", (socket) => {
    const connected = () => patience.waitFor(body ? "send" : "answer");
    if (outgoing.reusedSocket) connected();
    else socket.once(secure ? "secureConnect" : "connect", connected);
  });
  outgoing.once("finish", () => {
    if (!answered) patience.waitFor("answer");
  });
  outgoing.once("response", (response) => {
    answered = true;
    patience.rest();
    // The body reports its own faults; one that comes while nobody reads must not end the process.
    response.on("error", () => {});
    resolve(response);
  });
  outgoing.on("error", (error) => {
    patience.rest();
    reject(signal.aborted ? signal.reason : (patience.fault ?? connectionFault(error)));
  });
  outgoing.once("close", () => {
    signal.removeEventListener("abort", stop);
    patience.rest();
    reject(signal.aborted ? signal.reason : connectionFault(undefined));
  });

  if (body) upload(outgoing, body, () => !answered && patience.waitFor("send"));
  else outgoing.end();
  return promise;
}

const SLICE_BYTES = 256 * 1024;

/** In slices, so that a stalled upload is noticed and nothing but views is allocated. */
function upload(outgoing: ClientRequest, body: readonly Uint8Array[], onProgress: () => void): void {
  const slices = slicesOf(body);
  const more = () => {
    for (let next = slices.next(); !next.done; next = slices.next()) {
      if (outgoing.write(next.value)) continue;
      outgoing.once("drain", () => {
        onProgress();
        more();
      });
      return;
    }
    outgoing.end();
  };
  more();
}

function* slicesOf(body: readonly Uint8Array[]): Generator<Uint8Array, void> {
  for (const bytes of body) {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) yield bytes.subarray(at, at + SLICE_BYTES);
  }
}

/** The clock runs only while the archive is waited for: a slow reader is no stalled archive. */
async function* bodyOf(
  response: IncomingMessage,
  patience: Patience,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const chunks: AsyncIterator<Buffer, void> = response.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      patience.waitFor("body");
      const next = await chunks.next();
      patience.rest();
      if (next.done) break;
      yield next.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw patience.fault ?? interruptionFault(error);
  } finally {
    patience.rest();
    await chunks.return?.();
    // What has come already is drained, so that the connection can be used again.
    if (response.complete) response.resume();
    else response.destroy();
  }
}
