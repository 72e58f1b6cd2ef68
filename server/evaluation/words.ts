import type { Estimate, Share } from "./estimate.ts";

/** A figure as people read it: so many digits after the point; what has no value is a dash. */
export function figure(value: number | undefined, digits: number): string {
  if (value === undefined) return "-";
  return Number.isFinite(value) ? value.toFixed(digits) : "infinite";
}

/** "0.84 (0.80 to 0.88)" */
export function estimateInWords(one: Estimate | undefined, digits: number): string {
  if (one === undefined) return "-";
  const { mean, interval } = one;
  return `${figure(mean, digits)}${interval ? ` (${figure(interval.low, digits)} to ${figure(interval.high, digits)})` : ""}`;
}

/** "0.92 (0.65 to 0.99) of 12" */
export function shareInWords(one: Share | undefined): string {
  return one === undefined
    ? "-"
    : `${figure(one.share, 2)} (${figure(one.low, 2)} to ${figure(one.high, 2)}) of ${one.of}`;
}
