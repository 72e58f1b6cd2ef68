import fc from "fast-check";
import { expect, test } from "vitest";
import { codecOf } from "#converters/dicom/codecs.ts";
import { CorruptFrameError, type DecodeFrame, type FrameShape } from "#converters/dicom/frame-codec.ts";
import { encodeLosslessJpeg } from "../fixtures/encode-lossless-jpeg.ts";
import { encodeRle } from "../fixtures/encode-rle.ts";
import { openEncoder, type Picture } from "../fixtures/image-encoders.ts";

const RLE = "1.2.840.10008.1.2.5";
const JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70";
const JPEG_LS = "1.2.840.10008.1.2.4.80";
const JPEG_LS_NEAR = "1.2.840.10008.1.2.4.81";
const JPEG_2000 = "1.2.840.10008.1.2.4.90";
const HTJ2K = "1.2.840.10008.1.2.4.201";

const side = fc.integer({ min: 1, max: 40 });

/** Smooth in places and noisy in others, over the whole range of its bits. */
function pictures(bits: fc.Arbitrary<number>): fc.Arbitrary<Picture & { readonly values: readonly number[] }> {
  return fc
    .record({ width: side, height: side, bitsPerSample: bits, seed: fc.integer(), flat: fc.boolean() })
    .map(({ width, height, bitsPerSample, seed, flat }) => {
      let noise = seed;
      const values = Array.from({ length: width * height }, (_, n) => {
        noise = (Math.imul(noise, 1664525) + 1013904223) | 0;
        const value = flat || n % 97 < 60 ? (n >> 3) % 5 : noise >>> 8;
        return value % 2 ** bitsPerSample;
      });
      const samples = bitsPerSample > 8 ? new Uint8Array(Uint16Array.from(values).buffer) : Uint8Array.from(values);
      return { width, height, bitsPerSample, signed: false, samples, values };
    });
}

const shapeOf = ({ width, height }: { width: number; height: number }, bitsAllocated: number): FrameShape => ({
  rows: height,
  columns: width,
  bitsAllocated,
});

function wordsOf(bytes: Uint8Array): readonly number[] {
  return [...new Uint16Array(bytes.slice().buffer)];
}

test("RLE gives back every byte, in 8, 16 and 32 bits", async () => {
  const decode = await codecOf(RLE)!();
  const frames = fc.record({ width: side, height: side, bytes: fc.constantFrom(1, 2, 4) }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      samples: fc.uint8Array({
        minLength: shape.width * shape.height * shape.bytes,
        maxLength: shape.width * shape.height * shape.bytes,
        max: 3,
      }),
    }),
  );
  fc.assert(
    fc.property(frames, ({ shape, samples }) => {
      const encoded = encodeRle(samples, shape.bytes);
      expect(decode(encoded, shapeOf(shape, shape.bytes * 8))).toEqual(samples);
    }),
  );
});

test("lossless JPEG gives back every sample, of any precision, predictor and restart interval", async () => {
  const decode = await codecOf(JPEG_LOSSLESS)!();
  const cases = fc.record({
    picture: pictures(fc.integer({ min: 2, max: 16 })),
    predictor: fc.integer({ min: 1, max: 7 }),
    restartLines: fc.integer({ min: 0, max: 5 }),
  });
  fc.assert(
    fc.property(cases, ({ picture, predictor, restartLines }) => {
      const samples = Uint16Array.from(picture.values);
      const encoded = encodeLosslessJpeg({ ...picture, samples, predictor, restartLines });
      expect(wordsOf(decode(encoded, shapeOf(picture, 16)))).toEqual(picture.values);
      if (picture.bitsPerSample > 8) return;
      expect([...decode(encoded, shapeOf(picture, 8))]).toEqual(picture.values);
    }),
  );
});

test.each([
  ["JPEG-LS", JPEG_LS, "jpegLs", { min: 2, max: 16 }],
  ["JPEG 2000", JPEG_2000, "jpeg2000", { min: 2, max: 16 }],
  ["HTJ2K", HTJ2K, "htj2k", { min: 8, max: 16 }],
] as const)("%s gives back every sample", async (_, transferSyntax, name, bits) => {
  const [decode, encode] = [await codecOf(transferSyntax)!(), await openEncoder(name)];
  fc.assert(
    fc.property(pictures(fc.integer(bits)), (picture) => {
      expect(wordsOf(decode(encode(picture), shapeOf(picture, 16)))).toEqual(picture.values);
    }),
  );
});

test("near-lossless JPEG-LS is off by no more than it was allowed", async () => {
  const [decode, encode] = [await codecOf(JPEG_LS_NEAR)!(), await openEncoder("jpegLs")];
  fc.assert(
    fc.property(pictures(fc.integer({ min: 8, max: 16 })), fc.integer({ min: 1, max: 10 }), (picture, near) => {
      const decoded = wordsOf(
        decode(
          encode(picture, (encoder) => encoder.setNearLossless?.(near)),
          shapeOf(picture, 16),
        ),
      );
      const worst = decoded.reduce((most, value, n) => Math.max(most, Math.abs(value - picture.values[n]!)), 0);
      expect(worst).toBeLessThanOrEqual(near);
    }),
  );
});

test("signed JPEG 2000 and HTJ2K samples keep their sign in wider words", async () => {
  for (const [transferSyntax, name] of [
    [JPEG_2000, "jpeg2000"],
    [HTJ2K, "htj2k"],
  ] as const) {
    const [decode, encode] = [await codecOf(transferSyntax)!(), await openEncoder(name)];
    const values = Int16Array.from({ length: 64 }, (_, n) => n * 61 - 2000);
    const picture = { width: 8, height: 8, bitsPerSample: 12, signed: true, samples: new Uint8Array(values.buffer) };
    const decoded = decode(encode(picture), { rows: 8, columns: 8, bitsAllocated: 16 });
    expect(new Int16Array(decoded.slice().buffer)).toEqual(values);
  }
});

test("a damaged frame is refused by type or decoded, and soon; a new decoder reads the next one as ever", async () => {
  const picture = { width: 24, height: 20, bitsPerSample: 12, signed: false };
  const values = Uint16Array.from({ length: 480 }, (_, n) => (n * 7919) % 4096);
  const samples = new Uint8Array(values.buffer);
  const encoded: readonly (readonly [string, Uint8Array])[] = [
    [RLE, encodeRle(samples, 2)],
    [JPEG_LOSSLESS, encodeLosslessJpeg({ ...picture, samples: values, predictor: 1, restartLines: 4 })],
    [JPEG_LS, (await openEncoder("jpegLs"))({ ...picture, samples })],
    [JPEG_2000, (await openEncoder("jpeg2000"))({ ...picture, samples })],
    [HTJ2K, (await openEncoder("htj2k"))({ ...picture, samples })],
  ];
  const shape = shapeOf(picture, 16);
  for (const [transferSyntax, frame] of encoded) {
    let decode = await codecOf(transferSyntax)!();
    const damage = fc.record({ at: fc.nat(frame.length - 1), byte: fc.nat(255), cut: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, byte, cut }) => {
        const damaged = cut ? frame.slice(0, at) : frame.with(at, byte);
        const begun = performance.now();
        const result = outcome(decode, damaged, shape);
        expect(performance.now() - begun).toBeLessThan(2000);
        expect(result).toMatch(cut && at < frame.length - 4 ? /^refused$/ : /^(decoded|refused)$/);
        if (result === "refused") decode = await codecOf(transferSyntax)!();
        expect([...decode(frame, shape).subarray(0, samples.length)]).toEqual([...samples]);
      }),
      { numRuns: 100 },
    );
  }
});

function outcome(decode: DecodeFrame, frame: Uint8Array, shape: FrameShape): string {
  try {
    return decode(frame, shape).length >= shape.rows * shape.columns * 2 ? "decoded" : "short";
  } catch (error) {
    return error instanceof CorruptFrameError ? "refused" : `crashed: ${error}`;
  }
}
