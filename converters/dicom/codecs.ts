import { openJpeg2000 } from "./codec-jpeg2000.ts";
import type { DecodeFrame } from "./frame-codec.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";

type OpenCodec = () => Promise<DecodeFrame>;

const NATIVE: OpenCodec = async () => (frame) => frame;

const CODECS: ReadonlyMap<string, OpenCodec> = new Map([
  [TRANSFER_SYNTAX.implicitLittleEndian, NATIVE],
  [TRANSFER_SYNTAX.explicitLittleEndian, NATIVE],
  [TRANSFER_SYNTAX.deflatedLittleEndian, NATIVE],
  [TRANSFER_SYNTAX.explicitBigEndian, NATIVE],
  [TRANSFER_SYNTAX.jpeg2000Lossless, openJpeg2000],
  [TRANSFER_SYNTAX.jpeg2000, openJpeg2000],
]);

/** How to open the codec of a transfer syntax; undefined where there is none. */
export function codecOf(transferSyntaxUid: string): OpenCodec | undefined {
  return CODECS.get(transferSyntaxUid);
}
