import { lastLogit } from "./suppress.ts";

/** Beyond this logit, up or down, the probability is 255 or 0 of 255. */
const LIMIT = 7;
const STEPS_PER_LOGIT = 128;

/** The largest float32 logit that is still of each grey level: probabilities need comparisons, and no exponential. */
const LAST = Float32Array.from({ length: 256 }, (_, grey) =>
  grey === 255 ? Infinity : lastLogit((probability) => Math.round(255 * probability) <= grey),
);

/** A grey level at or just below that of the first logit of each step. */
const START = Uint8Array.from({ length: 2 * LIMIT * STEPS_PER_LOGIT }, (_, step) => {
  const before = (step - 0.5) / STEPS_PER_LOGIT - LIMIT;
  return LAST.findIndex((last) => before <= last);
});

/** round(255 p) of the logits at `source`, with p as `probabilityOf` gives it; 0 for NaN. The array is new. */
export function probabilityGrey(logits: Float32Array, source: Int32Array): Uint8Array {
  const greys = new Uint8Array(source.length);
  for (let n = 0; n < source.length; n++) {
    const logit = logits[source[n]!]!;
    if (logit >= LIMIT) greys[n] = 255;
    else if (logit > -LIMIT) {
      let grey = START[((logit + LIMIT) * STEPS_PER_LOGIT) | 0]!;
      while (logit > LAST[grey]!) grey++;
      greys[n] = grey;
    }
  }
  return greys;
}
