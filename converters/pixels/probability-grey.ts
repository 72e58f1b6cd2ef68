import { lastLogit } from "./suppress.ts";

/** Beyond this logit, up or down, the probability is 255 or 0 of 255. */
const LIMIT = 7;
const STEPS_PER_LOGIT = 128;

/** The largest float32 logit that is still of each grey level: probabilities need comparisons, and no exponential. */
const LAST = Float32Array.from({ length: 256 }, (_, grey) =>
  grey === 255 ? Infinity : lastLogit((probability) => Math.round(255 * probability) <= grey),
);

/** A grey level at or just below that of the first logit of each step, up to the limit itself. */
const FIRST = Uint8Array.from({ length: 2 * LIMIT * STEPS_PER_LOGIT + 1 }, (_, step) => {
  const before = (step - 0.5) / STEPS_PER_LOGIT - LIMIT;
  return LAST.findIndex((last) => before <= last);
});

/**
 * For round(255 p) of a logit, with p as `probabilityOf` gives it: `first` of the logit's step (counted from -limit), or the
 * level above where the logit is beyond `last` of it. Steps are so short that it is never two above. NaN is 0.
 */
export const GREY_TABLES = { first: FIRST, last: LAST, limit: LIMIT, stepsPerLogit: STEPS_PER_LOGIT } as const;
