import fc from "fast-check";
import { expect, test } from "vitest";
import { createBitVolume, setPlane } from "#converters/mask/index.ts";
import { InvalidRequestError, maskOfRuns, type PreviewSlice, previewFeed, runsOf } from "#server/domain/index.ts";
import { PreviewBoard } from "../../server/jobs/preview-board.ts";

test("runs tell a slice's mask and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ max: 1, minLength: 1, maxLength: 200 }), (mask) => {
      const runs = runsOf(mask);
      expect(maskOfRuns(runs, mask.length)).toEqual(mask);
      expect(runs.slice(1).every((length) => length > 0)).toBe(true);
    }),
  );
});

test("runs that are not as long as the slice are refused, with both lengths", () => {
  expect(() => maskOfRuns([3, 2], 6)).toThrow(InvalidRequestError);
  expect(() => maskOfRuns([3, 2], 6)).toThrow(/5 .* 6/);
});

function feedAt(clock: { ms: number }) {
  const batches: PreviewSlice[][] = [];
  return {
    batches,
    feed: previewFeed((slices) => batches.push([...slices]), { nowMs: () => clock.ms }),
  };
}

test("the first slice goes at once, those of the next moment together, and the last ones at the end", () => {
  const clock = { ms: 0 };
  const { batches, feed } = feedAt(clock);
  const mask = createBitVolume([3, 2, 5]);
  const plane = Uint8Array.of(0, 1, 1, 0, 0, 0);
  for (const [k, ms] of [2, 1, 3, 0, 4].entries()) {
    clock.ms = [0, 10, 60, 120, 130][k]!;
    setPlane(mask, 2, ms, plane);
    feed.wrote("p1", mask, 2, ms, plane);
  }
  feed.end();
  expect(batches.map((batch) => batch.map(({ sliceIndex }) => sliceIndex))).toEqual([[2], [1, 3, 0], [4]]);
  expect(batches[0]![0]).toEqual({ promptId: "p1", sliceIndex: 2, slices: 5, rows: 2, columns: 3, runs: [1, 2, 3] });
});

test("a plane that is no slice tells the slices that it has voxels in", () => {
  const { batches, feed } = feedAt({ ms: 0 });
  const mask = createBitVolume([3, 2, 4]);
  // Width i, height k: voxels in slices 1 and 3.
  const plane = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0);
  setPlane(mask, 1, 1, plane);
  feed.wrote("p1", mask, 1, 1, plane);
  expect(batches.flat().map(({ sliceIndex, runs }) => [sliceIndex, runs])).toEqual([
    [1, [3, 1, 2]],
    [3, [4, 1, 1]],
  ]);
});

const slice = (sliceIndex: number, runs: readonly number[] = [1, 2, 3]): PreviewSlice => ({
  promptId: "p1",
  sliceIndex,
  slices: 9,
  rows: 2,
  columns: 3,
  runs,
});

function read(board: PreviewBoard, from = 0): number[] {
  const seen: number[] = [];
  for (let pinned = board.next(from); pinned; pinned = board.next(pinned.version)) seen.push(pinned.slice.sliceIndex);
  return seen;
}

test("a reader gets each slice once, a slice that came again behind the others, and after a pause only what is new", () => {
  const board = new PreviewBoard();
  board.pin([slice(4), slice(5)]);
  board.pin([slice(4, [6])]);
  expect(read(board)).toEqual([5, 4]);
  const { version } = board.next(0)!;
  board.pin([slice(6)]);
  expect(read(board, version)).toEqual([4, 6]);
  board.clear();
  expect(read(board)).toEqual([]);
});

test("the board is bounded: the oldest slices go where runs are too many", () => {
  const board = new PreviewBoard();
  const noise = new Array(900_000).fill(1);
  board.pin([slice(1, noise), slice(2, noise), slice(3, noise)]);
  expect(read(board)).toEqual([2, 3]);
});
