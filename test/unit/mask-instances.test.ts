import { expect, test } from "vitest";
import { type BitVolume, countBits, createBitVolume, splitByEdges } from "#converters/mask/index.ts";

/** Slices k of rows j of characters: "#" is in the mask, "|" in the mask and an edge. */
function drawn(...slices: readonly (readonly string[])[]): { mask: BitVolume; edges: BitVolume } {
  const size = [slices[0]![0]!.length, slices[0]!.length, slices.length] as const;
  const [mask, edges] = [createBitVolume(size), createBitVolume(size)];
  for (const [n, letter] of [...slices.flat().join("")].entries()) {
    if (letter !== ".") mask.bits[n >> 3]! |= 1 << (n & 7);
    if (letter === "|") edges.bits[n >> 3]! |= 1 << (n & 7);
  }
  return { mask, edges };
}

function told({ size, bits }: BitVolume): string[] {
  const [ni, nj, nk] = size;
  return Array.from({ length: nj * nk }, (_, row) =>
    Array.from({ length: ni }, (_, i) => ((bits[(row * ni + i) >> 3]! >> ((row * ni + i) & 7)) & 1 ? "#" : ".")).join(
      "",
    ),
  );
}

test("two objects that touch are told apart by the edge between them, and grow back into it, the larger first", () => {
  const { mask, edges } = drawn(["####|##", "####|##"]);
  const { count, largest } = splitByEdges(mask, edges);
  expect(count).toBe(2);
  expect([...largest].map(told)).toEqual([
    ["#####..", "#####.."],
    [".....##", ".....##"],
  ]);
});

test("growth is by one voxel through faces, never out of the mask, never around a corner", () => {
  const { mask, edges } = drawn(["##||.", ".||||"]);
  expect([...splitByEdges(mask, edges).largest].map(told)).toEqual([["###..", ".#..."]]);
});

test("it grows from slice to slice too", () => {
  const { mask, edges } = drawn(["|."], ["#."], ["|."], ["|."]);
  expect([...splitByEdges(mask, edges).largest].map(told)).toEqual([["#.", "#.", "#.", ".."]]);
});

test("without edges the instances are the face-connected pieces, largest first", () => {
  const { mask, edges } = drawn(["#.##.", "...#."]);
  const { count, largest } = splitByEdges(mask, edges);
  expect(count).toBe(2);
  expect([...largest].map(({ bits, size }) => countBits(bits, 0, size[0] * size[1] * size[2]))).toEqual([3, 1]);
});

test("instances share no voxel, and at most as many are listed as asked", () => {
  const { mask, edges } = drawn(["#|#|#|#"]);
  const { count, largest } = splitByEdges(mask, edges, 3);
  const listed = [...largest];
  expect([count, listed.length]).toEqual([4, 3]);
  const together = listed.reduce((all, { bits }) => all + countBits(bits, 0, 7), 0);
  const union = listed.reduce((all, { bits }) => all | bits[0]!, 0);
  expect(countBits(Uint8Array.of(union), 0, 8)).toBe(together);
});

test("edges of another grid are refused", () => {
  expect(() => splitByEdges(createBitVolume([2, 2, 1]), createBitVolume([2, 1, 1]))).toThrow(RangeError);
});
