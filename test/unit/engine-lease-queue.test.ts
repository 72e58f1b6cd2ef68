import { expect, test } from "vitest";
import { LeaseQueue } from "../../server/engines/lease-queue.ts";

const never = new AbortController().signal;

test("callers enter one at a time, in the order of asking", async () => {
  const queue = new LeaseQueue();
  const seen: string[] = [];
  const enter = async (name: string) => {
    using _lease = await queue.acquire(never);
    seen.push(`${name} in`);
    await Promise.resolve();
    seen.push(`${name} out`);
  };
  await Promise.all([enter("a"), enter("b"), enter("c")]);
  expect(seen).toEqual(["a in", "a out", "b in", "b out", "c in", "c out"]);
  expect(queue.busy).toBe(false);
});

test("who aborts while waiting leaves with the reason, and the one behind moves up", async () => {
  const queue = new LeaseQueue();
  const first = await queue.acquire(never);
  const abort = new AbortController();
  const second = queue.acquire(abort.signal);
  const third = queue.acquire(never);
  const reason = new Error("enough");
  abort.abort(reason);
  await expect(second).rejects.toBe(reason);
  first[Symbol.dispose]();
  const lease = await third;
  expect(queue.busy).toBe(true);
  lease[Symbol.dispose]();
  expect(queue.busy).toBe(false);
});

test("giving a lease back twice lets nobody in twice", async () => {
  const queue = new LeaseQueue();
  const first = await queue.acquire(never);
  const second = queue.acquire(never);
  const third = queue.acquire(never);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await second;
  const state = await Promise.race([third.then(() => "in"), Promise.resolve("waiting")]);
  expect(state).toBe("waiting");
});
