import { connect, type Socket } from "node:net";
import { ByteInput, MalformedMessageError } from "./byte-input.ts";
import { readResponseHead, responseBody } from "./http-message.ts";
import { connectionFault, interruptionFault, notHttp } from "./pacs-fault.ts";
import { Patience, type Timeouts } from "./patience.ts";
import type { Attempt, RawAnswer } from "./raw-answer.ts";
import { SocketReader } from "./socket-reader.ts";

/**
 * Sends a GET over a connection of its own, without TLS, and reads the answer through one buffer. node:http allocates
 * and copies every chunk of a body once more, which takes longer than all the rest of fetching a series.
 * @throws PacsUnavailableError, PacsTimeoutError, the signal's reason after an abort
 */
export async function streamedExchange(
  { url, headers }: Attempt,
  timeouts: Timeouts,
  signal: AbortSignal,
): Promise<RawAnswer> {
  signal.throwIfAborted();
  const target = new URL(url);
  const patience = new Patience(timeouts, (fault) => socket.destroy(fault));
  const reader = new SocketReader(patience);
  const host = target.hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(target.port || 80), onread: reader.onread });
  reader.read(socket);
  const stop = () => socket.destroy();
  signal.addEventListener("abort", stop, { once: true });
  socket.once("close", () => {
    patience.rest();
    signal.removeEventListener("abort", stop);
  });

  const input = new ByteInput(reader);
  try {
    patience.waitFor("connect");
    await connected(socket);
    socket.write(requestHead(target, headers));
    const head = await readResponseHead(input);
    reader.step = "body";
    return {
      status: head.status,
      header: (name) => head.headers.get(name),
      body: guarded(responseBody(head, input), socket, patience, signal),
      discard: stop,
    };
  } catch (error) {
    stop();
    signal.throwIfAborted();
    if (patience.fault) throw patience.fault;
    if (!(error instanceof MalformedMessageError)) throw connectionFault(error);
    throw error.fault === "truncated" ? connectionFault(error) : notHttp(error);
  }
}

async function connected(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("connect", resolve);
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("closed before it was connected")));
  return promise;
}

function requestHead({ host, pathname, search }: URL, headers: Attempt["headers"]): string {
  const fields: Attempt["headers"] = { Host: host, Connection: "close", ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

async function* guarded(
  body: AsyncIterable<Uint8Array>,
  socket: Socket,
  patience: Patience,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    throw patience.fault ?? interruptionFault(error);
  } finally {
    socket.destroy();
  }
}
