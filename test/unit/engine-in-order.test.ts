import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { inOrder } from "../../server/engines/child/in-order.ts";
import { collect } from "../fixtures/collect.ts";

/** Ends when told to. */
function manual() {
  const doors = new Map<number, PromiseWithResolvers<number>>();
  const begun: number[] = [];
  return {
    begun,
    work: (n: number) => {
      begun.push(n);
      const door = Promise.withResolvers<number>();
      doors.set(n, door);
      return door.promise;
    },
    end: (n: number) => doors.get(n)!.resolve(10 * n),
    fail: (n: number) => doors.get(n)!.reject(new Error(`${n} failed`)),
  };
}

test("results come in the order of the items, however they end, and never more than the window are under way", async () => {
  const { begun, work, end } = manual();
  const all = collect(inOrder([0, 1, 2, 3], 2, work));
  await setImmediate();
  expect(begun).toEqual([0, 1]);
  end(1);
  await setImmediate();
  expect(begun).toEqual([0, 1]);
  end(0);
  await setImmediate();
  // 0 and 1 were taken: two others take their places.
  expect(begun).toEqual([0, 1, 2, 3]);
  end(3);
  end(2);
  expect(await all).toEqual([0, 10, 20, 30]);
});

test("with a window of one, one ends before the next begins", async () => {
  const order: string[] = [];
  const work = async (n: number) => {
    order.push(`begin ${n}`);
    await setImmediate();
    order.push(`end ${n}`);
  };
  await collect(inOrder([0, 1], 1, work));
  expect(order).toEqual(["begin 0", "end 0", "begin 1", "end 1"]);
});

test("where one fails, no other begins, and those under way are waited for", async () => {
  const { begun, work, end, fail } = manual();
  const all = collect(inOrder([0, 1, 2, 3], 2, work));
  let ended = false;
  const failure = all.then(
    () => undefined,
    (error: Error) => {
      ended = true;
      return error.message;
    },
  );
  fail(0);
  await setImmediate();
  expect(ended).toBe(false);
  end(1);
  expect(await failure).toBe("0 failed");
  expect(begun).toEqual([0, 1]);
});
