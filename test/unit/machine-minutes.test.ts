import { expect, test } from "vitest";
import { estimateMinutes, minutesFor, type PastJob } from "../../server/routing/machine-minutes.ts";

const job = (model: string, minutes: number, slices?: number): PastJob => ({
  model,
  minutes,
  ...(slices !== undefined && { slices }),
});

test("each model's jobs tell about its own, and the sum is of those that are known", () => {
  const past = [job("quick", 0.5), job("quick", 1.5), job("slow", 30)];
  const asked = [
    { model: "quick", slices: 10 },
    { model: "slow", slices: 10 },
    { model: "quick", slices: 20 },
    { model: "new", slices: 20 },
  ];
  expect(estimateMinutes(past, asked)).toEqual({
    estimatedMinutes: 32,
    estimates: [
      { model: "quick", series: 2, minutes: 2 },
      { model: "slow", series: 1, minutes: 30 },
      { model: "new", series: 1 },
    ],
  });
});

test("where it is not known who answers, all jobs count; where nothing was ever done, nothing is said", () => {
  expect(estimateMinutes([job("a", 1), job("b", 3)], [{ slices: 5 }])).toEqual({
    estimatedMinutes: 2,
    estimates: [{ series: 1, minutes: 2 }],
  });
  expect(estimateMinutes([], [{ model: "a", slices: 5 }])).toEqual({ estimates: [{ model: "a", series: 1 }] });
});

test("time goes by slices where enough jobs noted theirs", () => {
  // A minute, and one for each hundred slices.
  const past = [100, 200, 300, 400, 500].map((slices) => job("a", 1 + slices / 100, slices));
  expect(minutesFor(past, 250)).toBeCloseTo(3.5);
  expect(minutesFor(past, 1000)).toBeCloseTo(11);
  // Never less than the shortest that was.
  expect(minutesFor(past, 0)).toBe(2);
  // Jobs of an earlier version noted none: they count only while there are no others.
  expect(minutesFor([...past, job("a", 1000)], 250)).toBeCloseTo(3.5);
  expect(minutesFor(past.slice(0, 4), 1000)).toBeCloseTo(3.5);
});

test("a chance by which more slices took less time is no rule", () => {
  const past = [100, 200, 300, 400, 500].map((slices) => job("a", 10 - slices / 100, slices));
  expect(minutesFor(past, 900)).toBeCloseTo(7);
});
