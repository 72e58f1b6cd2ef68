import { expect, test } from "vitest";
import { codecOf } from "#converters/dicom/codecs.ts";
import { CorruptFrameError } from "#converters/dicom/frame-codec.ts";
import { refuseCutCodeStream } from "#converters/dicom/jpeg2000-end.ts";
import { openEncoder } from "../fixtures/image-encoders.ts";

const EOC = [0xff, 0xd9];

interface TilePart {
  readonly tile: number;
  /** How many parts the tile says that it has; 0 where it does not say. */
  readonly parts: number;
  /** What it says of its length instead of the truth. */
  readonly length?: number;
}

/** A code stream whose main header has nothing but an empty comment; each tile-part holds 8 bytes. */
function codeStream(tileParts: readonly TilePart[], end: readonly number[] = EOC): Uint8Array {
  const parts = tileParts.flatMap(({ tile, parts: declared, length = 22 }) => [
    ...[0xff, 0x90, 0, 10, 0, tile, 0, 0, 0, length, 0, declared, 0xff, 0x93],
    ...Array<number>(8).fill(7),
  ]);
  return Uint8Array.from([0xff, 0x4f, 0xff, 0x64, 0, 2, ...parts, ...end]);
}

const check = (frame: Uint8Array, tiles: number) =>
  refuseCutCodeStream(frame, { width: 1, height: 1, components: 1, bitsPerSample: 8, signed: false, tiles, start: 0 });

const twoTiles = [
  { tile: 0, parts: 2 },
  { tile: 1, parts: 1 },
  { tile: 0, parts: 0 },
];

test("a code stream with all its tile-parts and its end is whole, padded or not", () => {
  expect(() => check(codeStream(twoTiles), 2)).not.toThrow();
  expect(() => check(codeStream(twoTiles, [...EOC, 0, 0]), 2)).not.toThrow();
  expect(() => check(codeStream([{ tile: 0, parts: 0, length: 0 }]), 1)).not.toThrow();
});

test("without its end marker it is whole where every tile has the parts that it declares", () => {
  expect(() => check(codeStream(twoTiles, []), 2)).not.toThrow();
  expect(() => check(codeStream(twoTiles.slice(0, 2), []), 2)).toThrow(CorruptFrameError);
  expect(() => check(codeStream([{ tile: 0, parts: 0 }], []), 1)).toThrow(CorruptFrameError);
  expect(() => check(codeStream([{ tile: 0, parts: 0, length: 0 }], []), 1)).toThrow(CorruptFrameError);
});

test("with a tile missing, or a part that is longer than the frame, it is cut short", () => {
  expect(() => check(codeStream(twoTiles.slice(0, 1)), 2)).toThrow(CorruptFrameError);
  expect(() => check(codeStream([{ tile: 0, parts: 1, length: 200 }]), 1)).toThrow(CorruptFrameError);
  expect(() => check(codeStream([{ tile: 0, parts: 1, length: 3 }]), 1)).toThrow(CorruptFrameError);
  expect(() => check(codeStream([]), 1)).toThrow(CorruptFrameError);
});

test.each([
  ["JPEG 2000", "1.2.840.10008.1.2.4.90", "jpeg2000"],
  ["HTJ2K", "1.2.840.10008.1.2.4.201", "htj2k"],
  ["JPEG-LS", "1.2.840.10008.1.2.4.80", "jpegLs"],
] as const)("a %s frame cut anywhere is refused, unless only its end marker was lost", async (_, syntax, name) => {
  const encode = await openEncoder(name);
  const values = Uint16Array.from({ length: 24 * 20 }, (_, n) => (n * n * 31) % 4096);
  const picture = { width: 24, height: 20, bitsPerSample: 12, signed: false, samples: new Uint8Array(values.buffer) };
  const frame = encode(picture);
  for (let at = 0; at < frame.length; at += at < frame.length - 40 ? 37 : 1) {
    // A codec that has thrown is not asked again.
    const decode = await codecOf(syntax)!();
    const attempt = () => decode(frame.slice(0, at), { rows: 20, columns: 24, bitsAllocated: 16 }).slice();
    const outcome = at < frame.length - 2 ? undefined : outcomeOf(attempt);
    if (outcome === undefined) expect(attempt, `cut at ${at} of ${frame.length}`).toThrow(CorruptFrameError);
    else if (!(outcome instanceof CorruptFrameError)) expect(outcome).toEqual(picture.samples);
  }
});

function outcomeOf(attempt: () => Uint8Array): unknown {
  try {
    return attempt();
  } catch (error) {
    return error;
  }
}
