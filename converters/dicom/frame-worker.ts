import { parentPort } from "node:worker_threads";
import { codecOf } from "./codecs.ts";
import { CorruptFrameError, type DecodeFrame, type FrameShape } from "./frame-codec.ts";

/** A frame to decode; `frame` and `room` are handed over with it. */
export interface FrameRequest {
  readonly id: number;
  readonly transferSyntaxUid: string;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly shape: FrameShape;
  /** Memory for the samples, where some is at hand. */
  readonly room: ArrayBuffer | undefined;
}

/** Its samples, or what is wrong with it, and the frame's memory for the next one; all handed over. */
export type FrameAnswer = { readonly id: number; readonly frameRoom: ArrayBuffer } & (
  | { readonly samples: Uint8Array<ArrayBuffer>; readonly problem?: undefined }
  | { readonly samples?: undefined; readonly problem: string }
);

const codecs = new Map<string, Promise<DecodeFrame>>();

function codecFor(transferSyntaxUid: string): Promise<DecodeFrame> {
  const open = codecs.get(transferSyntaxUid) ?? codecOf(transferSyntaxUid)!();
  codecs.set(transferSyntaxUid, open);
  return open;
}

async function answer({ id, transferSyntaxUid, frame, shape, room }: FrameRequest): Promise<FrameAnswer> {
  const decode = await codecFor(transferSyntaxUid);
  const common = { id, frameRoom: frame.buffer };
  try {
    const decoded = decode(frame, shape);
    const kept = room !== undefined && room.byteLength >= decoded.length ? room : new ArrayBuffer(decoded.length);
    const samples = new Uint8Array(kept, 0, decoded.length);
    samples.set(decoded);
    return { ...common, samples };
  } catch (cause) {
    if (!(cause instanceof CorruptFrameError)) throw cause;
    return { ...common, problem: cause.message };
  }
}

parentPort?.on("message", async (request: FrameRequest) => {
  const reply = await answer(request);
  const samples = reply.samples === undefined ? [] : [reply.samples.buffer];
  parentPort?.postMessage(reply, [reply.frameRoom, ...samples]);
});
