import { setImmediate } from "node:timers/promises";
import { codecOf, decodingCost } from "./codecs.ts";
import { CorruptFrameError, type DecodeFrame, type FrameShape } from "./frame-codec.ts";
import { openFrameThreads } from "./frame-threads.ts";

/** One encoded frame that is to be decoded. */
export interface EncodedFrame {
  readonly transferSyntaxUid: string;
  readonly fragments: readonly Uint8Array[];
  readonly shape: FrameShape;
}

export interface DecodeOptions {
  /** The most threads that may be used beside this one; 0 keeps all work here. */
  readonly threads: number;
  readonly signal?: AbortSignal;
}

/** A frame cannot be decoded; which one it is. */
export class FrameFault extends Error {
  override readonly name = "FrameFault";
  readonly index: number;
  override readonly cause: CorruptFrameError;

  constructor(index: number, cause: CorruptFrameError) {
    super(cause.message);
    this.index = index;
    this.cause = cause;
  }
}

/** Work on one core that is worth starting threads for: each takes about 60 ms to come up. */
const WORTH_THREADS_MS = 250;
/** How long this thread may be kept busy before it looks after other work. */
const BREATH_MS = 40;
/** What reading samples into place takes, whatever the codec. */
const STORE_NS = 1;

/**
 * Decodes frames, in threads of their own where that pays, and hands each one's samples over in this thread, in no certain
 * order. The samples are good until `store` returns.
 *
 * @param frames is emptied: each frame's bytes can be freed once they are decoded.
 * @throws FrameFault
 * @throws the signal's reason when it is aborted.
 */
export async function decodeFrames(
  frames: EncodedFrame[],
  store: (index: number, samples: Uint8Array) => void,
  { threads, signal }: DecodeOptions,
): Promise<void> {
  const jobs = frames.splice(0);
  const totalMs = jobs.reduce((sum, job) => sum + decodingMs(job), 0);
  const useful = Math.min(threads, jobs.length, Math.floor(totalMs / (WORTH_THREADS_MS / 2)));
  if (useful >= 2 && totalMs > WORTH_THREADS_MS) await decodeInThreads(jobs, store, useful, signal);
  else await decodeHere(jobs, store, signal);
}

function decodingMs({ transferSyntaxUid, shape }: EncodedFrame): number {
  return (shape.rows * shape.columns * decodingCost(transferSyntaxUid)) / 1e6;
}

type Jobs = (EncodedFrame | undefined)[];

async function decodeHere(jobs: Jobs, store: (index: number, samples: Uint8Array) => void, signal?: AbortSignal) {
  const codecs = new Map<string, DecodeFrame>();
  let busyMs = 0;
  for (let n = 0; n < jobs.length; n++) {
    const job = jobs[n]!;
    jobs[n] = undefined;
    const codec = codecs.get(job.transferSyntaxUid) ?? (await codecOf(job.transferSyntaxUid)!());
    codecs.set(job.transferSyntaxUid, codec);
    try {
      store(n, codec(joined(job.fragments), job.shape));
    } catch (cause) {
      if (!(cause instanceof CorruptFrameError)) throw cause;
      throw new FrameFault(n, cause);
    }
    busyMs += decodingMs(job) + (job.shape.rows * job.shape.columns * STORE_NS) / 1e6;
    if (busyMs > BREATH_MS) {
      busyMs = 0;
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
}

async function decodeInThreads(
  jobs: Jobs,
  store: (index: number, samples: Uint8Array) => void,
  threads: number,
  signal?: AbortSignal,
) {
  await using pool = openFrameThreads(threads, signal);
  let next = 0;
  const work = async (thread: number) => {
    while (next < jobs.length) {
      const n = next++;
      const job = jobs[n]!;
      jobs[n] = undefined;
      try {
        await pool.decode(thread, job.transferSyntaxUid, joined(job.fragments), job.shape, (samples) =>
          store(n, samples),
        );
      } catch (cause) {
        if (!(cause instanceof CorruptFrameError)) throw cause;
        throw new FrameFault(n, cause);
      }
    }
  };
  // Two for each thread, so that the next frame is there when one is done.
  await Promise.all(Array.from({ length: threads * 2 }, (_, n) => work(n % threads)));
}

/** A frame may be spread over several fragments (PS3.5 section A.4). */
function joined(fragments: readonly Uint8Array[]): Uint8Array {
  if (fragments.length === 1) return fragments[0]!;
  const whole = new Uint8Array(fragments.reduce((sum, fragment) => sum + fragment.length, 0));
  let offset = 0;
  for (const fragment of fragments) {
    whole.set(fragment, offset);
    offset += fragment.length;
  }
  return whole;
}
