import { codecOf, decodingCost } from "./codecs.ts";
import { CorruptFrameError, type DecodeFrame, type FrameShape, reusableBytes } from "./frame-codec.ts";
import { type FrameBytes, InstanceFault } from "./image-frame.ts";

/** One encoded frame that is to be decoded. */
export interface EncodedFrame {
  readonly transferSyntaxUid: string;
  readonly encoded: FrameBytes;
  readonly shape: FrameShape;
}

export interface DecodeOptions {
  /** The most threads that may be used beside this one; 0 keeps all work here. */
  readonly threads: number;
  readonly signal?: AbortSignal;
}

/** A frame cannot be read or decoded; which one it is. */
export class FrameFault extends Error {
  override readonly name = "FrameFault";
  readonly index: number;
  override readonly cause: CorruptFrameError | InstanceFault;

  constructor(index: number, cause: CorruptFrameError | InstanceFault) {
    super(cause.message);
    this.index = index;
    this.cause = cause;
  }
}

/** Is given a frame's samples, which are good until it returns. */
export type StoreSamples = (index: number, samples: Uint8Array) => void;

/** Work on one core that is worth starting threads for: each takes about 60 ms to come up. */
const WORTH_THREADS_MS = 250;
/** How long this thread may be kept busy before it looks after other work. */
const BREATH_MS = 40;
/** What reading samples into place takes, whatever the codec. */
const STORE_NS = 1;

/**
 * Decodes frames, in threads of their own where that pays, and hands each one's samples over in this thread, in no certain
 * order.
 *
 * @param frames is emptied: each frame's bytes can be freed once they are decoded.
 * @throws FrameFault
 * @throws the signal's reason when it is aborted.
 */
export async function decodeFrames(
  frames: EncodedFrame[],
  store: StoreSamples,
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

function faultOf(index: number, cause: unknown): unknown {
  return cause instanceof CorruptFrameError || cause instanceof InstanceFault ? new FrameFault(index, cause) : cause;
}

async function decodeHere(jobs: Jobs, store: StoreSamples, signal?: AbortSignal) {
  const codecs = new Map<string, DecodeFrame>();
  const room = reusableBytes();
  let busyMs = 0;
  for (let n = 0; n < jobs.length; n++) {
    const job = jobs[n]!;
    jobs[n] = undefined;
    const codec = codecs.get(job.transferSyntaxUid) ?? (await codecOf(job.transferSyntaxUid)!());
    codecs.set(job.transferSyntaxUid, codec);
    try {
      store(n, codec(await bytesOf(job, room), job.shape));
    } catch (cause) {
      throw faultOf(n, cause);
    }
    busyMs += decodingMs(job) + (job.shape.rows * job.shape.columns * STORE_NS) / 1e6;
    if (busyMs > BREATH_MS) {
      busyMs = 0;
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
  }
}

async function decodeInThreads(jobs: Jobs, store: StoreSamples, threads: number, signal?: AbortSignal) {
  const { openFrameThreads } = await import("./frame-threads.ts");
  await using pool = openFrameThreads(threads, signal);
  let next = 0;
  const work = async (thread: number) => {
    const room = reusableBytes();
    while (next < jobs.length) {
      const n = next++;
      const job = jobs[n]!;
      jobs[n] = undefined;
      try {
        const frame = await bytesOf(job, room);
        await pool.decode(thread, job.transferSyntaxUid, frame, job.shape, (samples) => store(n, samples));
      } catch (cause) {
        throw faultOf(n, cause);
      }
    }
  };
  // Two for each thread, so that the next frame is there when one is done.
  await Promise.all(Array.from({ length: threads * 2 }, (_, n) => work(n % threads)));
}

async function bytesOf({ encoded }: EncodedFrame, room: (bytes: number) => Uint8Array): Promise<Uint8Array> {
  return joined(typeof encoded === "function" ? await encoded(room) : encoded);
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
