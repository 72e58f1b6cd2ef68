import { expect, test } from "vitest";
import { Stopwatch } from "../../server/domain/stopwatch.ts";

function steppingClock(msPerLook: number) {
  let ms = 0;
  return () => {
    ms += msPerLook;
    return ms;
  };
}

test("a part's seconds add up over its pieces, failed ones too", async () => {
  const watch = new Stopwatch<"infer" | "store">(steppingClock(500));
  await watch.time("infer", () => 1);
  await expect(watch.time("infer", () => Promise.reject(new Error("x")))).rejects.toThrow("x");
  expect(watch.seconds("infer")).toBe(1);
  expect(watch.seconds("store")).toBe(0);
});

test("waiting for items counts, what is done with them does not, and the source is closed", async () => {
  let closed = false;
  async function* items() {
    try {
      yield "a";
      yield "b";
      yield "c";
    } finally {
      closed = true;
    }
  }
  const watch = new Stopwatch<"fetch">(steppingClock(1000));
  const seen: string[] = [];
  for await (const item of watch.waiting("fetch", items())) {
    seen.push(item);
    if (item === "b") break;
  }
  expect(seen).toEqual(["a", "b"]);
  expect(watch.seconds("fetch")).toBe(2);
  expect(closed).toBe(true);
});
