import { Worker } from "node:worker_threads";
import { CorruptFrameError, type FrameShape } from "./frame-codec.ts";
import type { FrameAnswer, FrameRequest } from "./frame-worker.ts";

/** Threads that decode frames, each with codecs of its own. Frames and samples are handed over, not copied. */
export interface FrameThreads extends AsyncDisposable {
  /**
   * Decodes one frame in thread number `thread`.
   * @param store is given the samples, which are good until it returns.
   * @throws CorruptFrameError
   */
  decode(
    thread: number,
    transferSyntaxUid: string,
    frame: Uint8Array,
    shape: FrameShape,
    store: (samples: Uint8Array) => void,
  ): Promise<void>;
}

interface Pending {
  readonly resolve: (samples: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (reason: unknown) => void;
}

/** @param signal ends the threads; what is pending then fails with its reason. */
export function openFrameThreads(count: number, signal?: AbortSignal): FrameThreads {
  signal?.throwIfAborted();
  const threads = Array.from({ length: count }, openThread);
  const abort = () => {
    for (const thread of threads) thread.fail(signal?.reason);
  };
  signal?.addEventListener("abort", abort, { once: true });
  return {
    decode: (thread, ...job) => threads[thread]!.decode(...job),
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener("abort", abort);
      await Promise.all(threads.map((thread) => thread.end()));
    },
  };
}

function openThread() {
  const worker = new Worker(new URL("./frame-worker.ts", import.meta.url), { execArgv: [] });
  const pending = new Map<number, Pending>();
  // Memory that goes round: what is written for the first time costs more than the copy itself.
  const spareSamples: ArrayBuffer[] = [];
  const spareFrames: ArrayBuffer[] = [];
  let id = 0;
  let failure: { readonly reason: unknown } | undefined;
  const fail = (reason: unknown) => {
    failure ??= { reason };
    for (const { reject } of pending.values()) reject(reason);
    pending.clear();
  };
  worker.on("error", fail);
  worker.on("exit", (code) => fail(new Error(`a decoding thread ended (${code})`)));
  worker.on("message", ({ id: answered, frameRoom, samples, problem }: FrameAnswer) => {
    spareFrames.push(frameRoom);
    const waiting = pending.get(answered);
    pending.delete(answered);
    if (samples !== undefined) waiting?.resolve(samples);
    else waiting?.reject(new CorruptFrameError(problem));
  });
  return {
    fail,
    async decode(
      transferSyntaxUid: string,
      frame: Uint8Array,
      shape: FrameShape,
      store: (samples: Uint8Array) => void,
    ) {
      if (failure !== undefined) throw failure.reason;
      const moved = movable(frame, spareFrames.pop());
      const request: FrameRequest = { id: id++, transferSyntaxUid, frame: moved, shape, room: spareSamples.pop() };
      const samples = await new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
        pending.set(request.id, { resolve, reject });
        worker.postMessage(request, [moved.buffer, ...(request.room === undefined ? [] : [request.room])]);
      });
      store(samples);
      spareSamples.push(samples.buffer);
    },
    async end() {
      worker.removeAllListeners();
      await worker.terminate();
    },
  };
}

/** A copy that may be handed over, in memory that came back from an earlier frame where that is large enough. */
function movable(frame: Uint8Array, room: ArrayBuffer | undefined): Uint8Array<ArrayBuffer> {
  const enough = room !== undefined && room.byteLength >= frame.length;
  const copy = new Uint8Array(enough ? room : new ArrayBuffer(frame.length + (frame.length >>> 2)), 0, frame.length);
  copy.set(frame);
  return copy;
}
