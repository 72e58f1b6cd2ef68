import { join } from "node:path";
import { expect, test } from "vitest";
import { randomOf } from "../fuzz/random.ts";
import { runCases } from "../fuzz/run.ts";

/** npm run fuzz runs 20,000. */
const CASES = 300;

test(`${CASES} damaged files are read or refused by type, each soon and in little memory`, async () => {
  const { failures, read, refused } = await runCases({ seed: 20_260, from: 0, to: CASES });
  expect(failures).toEqual([]);
  expect(read + refused).toBe(CASES);
  // Damage that is never noticed, or always, would try nothing.
  expect(read).toBeGreaterThan(CASES / 20);
  expect(refused).toBeGreaterThan(CASES / 20);
});

test("a seed and a number are always the same case", () => {
  const numbers = (n: number) => {
    const random = randomOf(7, n);
    return Array.from({ length: 20 }, () => random.below(1000));
  };
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(1)).not.toEqual(numbers(2));
});

test("readers that end the process, hang, grow, crash or dawdle are told by the case", async () => {
  const script = join(import.meta.dirname, "../fixtures/broken-fuzz-child.ts");
  const { failures, read } = await runCases({ seed: 1, from: 0, to: 8 }, { script, hungMs: 1000 });
  expect(failures.map(({ n, fault }) => [n, fault])).toEqual([
    [1, "died"],
    [2, "hung"],
    [3, "memory"],
    [4, "crashed"],
    [5, "slow"],
  ]);
  expect(failures[3]?.detail).toContain("TypeError");
  // 0, 3, 5, 6 and 7.
  expect(read).toBe(5);
});
