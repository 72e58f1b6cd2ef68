import { expect, test } from "vitest";
import { probabilityOf } from "../../converters/pixels/suppress.ts";
import { openUpsampler } from "../../converters/pixels/upsampler.ts";

/** Of logits that are upsampled to their own size: themselves, in order. */
function greysOf(logits: Float32Array): Uint8Array {
  const size = [logits.length, 1] as const;
  const upsampler = openUpsampler(size, size);
  const greys = new Uint8Array(logits.length);
  upsampler.load(logits);
  upsampler.greys(greys);
  return greys;
}
const exactly = (logits: Float32Array) => Uint8Array.from(logits, (logit) => Math.round(255 * probabilityOf(logit)));

test("a grey level is round(255 p), at logits all over the range", () => {
  const logits = Float32Array.from({ length: 2_000_000 }, (_, n) => -10 + n / 100_000);
  expect(Buffer.compare(greysOf(logits), exactly(logits))).toBe(0);
});

test("also right where it changes: at each step's last logit, and at those next to it", () => {
  const steps = Array.from({ length: 255 }, (_, grey) => Math.log((grey + 0.5) / (254.5 - grey)));
  const logits = Float32Array.from(
    steps.flatMap((step) => Array.from({ length: 201 }, (_, n) => step + (n - 100) * 1e-7)),
  );
  expect(Buffer.compare(greysOf(logits), exactly(logits))).toBe(0);
  const others = Float32Array.of(-1e30, 1e30, 0, -0, -1e-30, 1e-30, -7, 7, -88, 88);
  expect(greysOf(others)).toEqual(exactly(others));
  expect(greysOf(Float32Array.of(Number.NaN))).toEqual(Uint8Array.of(0));
});
