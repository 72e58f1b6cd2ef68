import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { PacsUnavailableError } from "../domain/errors.ts";
import { decoded } from "./content-coding.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import type { DicomwebLogger } from "./log.ts";
import { refusal, TRANSIENT_STATUS, TransientPacsError } from "./pacs-fault.ts";
import type { Timeouts } from "./patience.ts";
import { pooledExchange } from "./pooled-exchange.ts";
import type { Attempt, RawAnswer } from "./raw-answer.ts";
import { type RetryPolicy, retryAfterMs, retrying } from "./retry.ts";
import type { RootUrl } from "./root-url.ts";
import { streamedExchange } from "./streamed-exchange.ts";

export interface Answer {
  readonly status: number;
  readonly contentType: string | undefined;
  /**
   * Decompressed, as it comes; to be iterated once. A chunk is valid until the next one is asked for. Ending the
   * iteration early closes the socket.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** For an answer whose body is not wanted. */
  discard(): void;
}

/** An answer read to its end. */
export interface WholeAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
}

/**
 * Sends requests to one archive: with its credentials, within its time limits, again after transient faults. Answers
 * have any status but 401, 403, 429, 502, 503, 504 and redirects, which are thrown. Every method throws
 * PacsUnavailableError, PacsTimeoutError, and the signal's reason after an abort.
 */
export interface Transport {
  readonly root: RootUrl;
  /** For large answers to GET. What breaks after the answer has begun is not tried again. */
  stream(request: Attempt, signal: AbortSignal): Promise<Answer>;
  /** For small answers: `read` belongs to what is tried again. */
  read<T>(request: Attempt, signal: AbortSignal, read: (answer: Answer) => Promise<T>): Promise<T>;
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
  const withCommonHeaders = (request: Attempt): Attempt => ({
    ...request,
    headers: {
      "Accept-Encoding": "identity",
      "User-Agent": "parse3d",
      ...(root.authorization && { Authorization: root.authorization }),
      ...headers,
      ...request.headers,
    },
  });
  const again = <T>(signal: AbortSignal, attempt: () => Promise<T>) =>
    retrying(retry, signal, attempt, (fault, delayMs) => {
      logger.warn({ event: "dicomweb.retry", status: fault.status, reason: fault.message, delayMs });
    });

  return {
    root,
    stream: (request, signal) =>
      again(signal, async () =>
        answerFrom(
          root.secure
            ? await pooledExchange(withCommonHeaders(request), agent, timeouts, signal)
            : await streamedExchange(withCommonHeaders(request), timeouts, signal),
        ),
      ),
    read: (request, signal, read) =>
      again(signal, async () =>
        read(answerFrom(await pooledExchange(withCommonHeaders(request), agent, timeouts, signal))),
      ),
    close: () => agent.destroy(),
  };
}

/** @throws what `tooLarge` gives where the body is larger than `maxBytes`; and as the body does */
export async function readWhole(
  { status, contentType, body }: Answer,
  maxBytes: number,
  tooLarge: (maxBytes: number) => Error = answerTooLarge,
): Promise<WholeAnswer> {
  const whole = new GrowingBytes();
  for await (const chunk of body) {
    if (whole.length + chunk.length > maxBytes) throw tooLarge(maxBytes);
    whole.append(chunk);
  }
  return { status, contentType, bytes: whole.take() };
}

/** @throws PacsUnavailableError for a status that is never an answer */
function answerFrom({ status, header, body, discard }: RawAnswer): Answer {
  if (status >= 300 && status < 400) return refuse();
  if (status === 401 || status === 403 || TRANSIENT_STATUS.has(status)) return refuse();
  return { status, contentType: header("content-type"), body: decoded(body, header("content-encoding")), discard };

  function refuse(): never {
    discard();
    const fault = refusal(status);
    if (!TRANSIENT_STATUS.has(status)) throw fault;
    const waitMs = retryAfterMs(header("retry-after"), Date.now());
    throw new TransientPacsError(fault.message, { status, retryAfterMs: waitMs });
  }
}

function answerTooLarge(maxBytes: number): PacsUnavailableError {
  const message = `The archive's answer is larger than ${maxBytes >> 20} MiB: ask for less, or check the archive.`;
  return new PacsUnavailableError(message, { retryable: false });
}
