import { expect, test } from "vitest";
import { SilenceWatch } from "../../server/jobs/postgres/silence-watch.ts";

function watchAt() {
  let nowMs = 0;
  const watch = new SilenceWatch(() => nowMs);
  return (ms: number, signs: Readonly<Record<string, string>>) => {
    nowMs = ms;
    return watch.silent(new Map(Object.entries(signs)), 30);
  };
}

test("who gives the same sign for so long is silent; another sign, whatever time it names, says that he lives", () => {
  const silent = watchAt();
  expect(silent(0, { a: "12:00", b: "12:00" })).toEqual([]);
  // Forward by hours, and back by more.
  expect(silent(20, { a: "18:00", b: "12:00" })).toEqual([]);
  expect(silent(30, { a: "18:00", b: "12:00" })).toEqual(["b"]);
  expect(silent(40, { a: "06:00" })).toEqual([]);
  expect(silent(69, { a: "06:00" })).toEqual([]);
  expect(silent(70, { a: "06:00" })).toEqual(["a"]);
});

test("who is seen for the first time was never silent, however old his sign says that he is", () => {
  const silent = watchAt();
  expect(silent(1000, { a: "1970" })).toEqual([]);
  expect(silent(1029, { a: "1970" })).toEqual([]);
  expect(silent(1030, { a: "1970" })).toEqual(["a"]);
});

test("who went and came back is new", () => {
  const silent = watchAt();
  silent(0, { a: "1" });
  silent(20, {});
  expect(silent(40, { a: "1" })).toEqual([]);
});
