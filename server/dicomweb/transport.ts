import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { PacsUnavailableError } from "../domain/errors.ts";
import type { DicomwebLogger } from "./log.ts";
import { connectionFault, refusal, TRANSIENT_STATUS, TransientPacsError } from "./pacs-fault.ts";
import { Patience, type Timeouts } from "./patience.ts";
import { responseBody } from "./response-body.ts";
import { type RetryPolicy, retryAfterMs, retrying } from "./retry.ts";
import type { RootUrl } from "./root-url.ts";

export interface TransportRequest {
  readonly method: "GET" | "POST";
  /** Absolute, under the root. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent one after the other, as they lie in memory. */
  readonly body?: readonly Uint8Array[];
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  /** Decompressed, as it comes; to be iterated once. Ending the iteration early closes the socket. */
  readonly body: AsyncIterable<Uint8Array>;
  /** For an answer whose body is not wanted. */
  discard(): void;
}

/** An answer read to its end. */
export interface WholeAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
}

/** Sends requests to one archive: with its credentials, within its time limits, again after transient faults. */
export interface Transport {
  readonly root: RootUrl;
  /**
   * Sends, and sends again after transient faults, until an answer begins.
   * @returns an answer of any status but 401, 403, 429, 502, 503, 504 and redirects, which are thrown
   * @throws PacsUnavailableError, PacsTimeoutError, the signal's reason after an abort
   */
  open(request: TransportRequest, signal: AbortSignal): Promise<Answer>;
  /** As `open`, where `read` belongs to what is tried again. */
  read<T>(request: TransportRequest, signal: AbortSignal, read: (answer: Answer) => Promise<T>): Promise<T>;
  /** Closes idle connections. */
  close(): void;
}

export interface TransportOptions {
  readonly root: RootUrl;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: Timeouts;
  readonly retry: RetryPolicy;
  readonly logger: DicomwebLogger;
}

export function createTransport({ root, headers, timeouts, retry, logger }: TransportOptions): Transport {
  const agent = root.secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const common = {
    "Accept-Encoding": "identity",
    "User-Agent": "parse3d",
    ...(root.authorization && { Authorization: root.authorization }),
    ...headers,
  };

  const exchange = async (request: TransportRequest, signal: AbortSignal): Promise<Answer> => {
    const send = root.secure ? httpsRequest : httpRequest;
    const outgoing = send(request.url, {
      method: request.method,
      agent,
      headers: { ...common, ...request.headers, ...(request.body && { "Content-Length": totalBytes(request.body) }) },
    });
    const patience = new Patience(timeouts, (fault) => outgoing.destroy(fault));
    const response = await answerTo(outgoing, request.body, patience, signal, root.secure);
    const status = response.statusCode ?? 0;
    const discard = () => {
      response.destroy();
    };
    if (isFault(status)) {
      discard();
      if (!TRANSIENT_STATUS.has(status)) throw refusal(status);
      throw new TransientPacsError(refusal(status).message, {
        status,
        retryAfterMs: retryAfterMs(response.headers["retry-after"], Date.now()),
      });
    }
    const body = responseBody(response, patience, signal);
    return { status, contentType: response.headers["content-type"], body, discard };
  };

  const again = <T>(signal: AbortSignal, attempt: () => Promise<T>) =>
    retrying(retry, signal, attempt, (fault, delayMs) => {
      logger.warn({ event: "dicomweb.retry", status: fault.status, reason: fault.message, delayMs });
    });

  return {
    root,
    open: (request, signal) => again(signal, () => exchange(request, signal)),
    read: (request, signal, read) => again(signal, async () => read(await exchange(request, signal))),
    close: () => agent.destroy(),
  };
}

/** @throws what `tooLarge` gives where the body is larger than `maxBytes`; and as the body does */
export async function readWhole(
  { status, contentType, body }: Answer,
  maxBytes: number,
  tooLarge: (maxBytes: number) => Error = answerTooLarge,
): Promise<WholeAnswer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
  }
  return { status, contentType, bytes: Buffer.concat(chunks, length) };
}

function answerTooLarge(maxBytes: number): PacsUnavailableError {
  const message = `The archive's answer is larger than ${maxBytes >> 20} MiB: ask for less, or check the archive.`;
  return new PacsUnavailableError(message, { retryable: false });
}

function isFault(status: number): boolean {
  return (
    status < 200 || (status >= 300 && status < 400) || status === 401 || status === 403 || TRANSIENT_STATUS.has(status)
  );
}

/** Sends the request; aborting destroys its socket, before and after the answer begins. */
async function answerTo(
  outgoing: ClientRequest,
  body: readonly Uint8Array[] | undefined,
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

function totalBytes(body: readonly Uint8Array[]): number {
  return body.reduce((sum, { length }) => sum + length, 0);
}
