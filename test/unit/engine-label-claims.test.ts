import { expect, test } from "vitest";
import { claimLabels, SIDES } from "../../server/engines/child/label-claims.ts";
import { LEFT, RIGHT } from "../../server/engines/child/label-map.ts";

const brain = { values: new Set([1, 2, 3]) };
const hippocampus = { values: new Set([3]) };
const left = { values: new Set([3]), side: "left" } as const;

const owners = (
  asked: Parameters<typeof claimLabels>[0],
  merge: "exclusive" | "overlapping",
  label: number,
  side = 0,
) =>
  [...claimLabels(asked, merge).entries()].filter(([, claim]) => claim[label * SIDES + side]).map(([prompt]) => prompt);

test("overlapping: everyone gets all of what they ask for, on the side that they ask for", () => {
  expect(owners([brain, hippocampus, left], "overlapping", 3, LEFT)).toEqual([0, 1, 2]);
  expect(owners([brain, hippocampus, left], "overlapping", 3, RIGHT)).toEqual([0, 1]);
  expect(owners([brain, hippocampus, left], "overlapping", 1)).toEqual([0]);
});

test("exclusive: a voxel goes to who asks most narrowly, whatever the order of asking", () => {
  expect(owners([brain, hippocampus, left], "exclusive", 3, LEFT)).toEqual([2]);
  expect(owners([brain, hippocampus, left], "exclusive", 3, RIGHT)).toEqual([1]);
  expect(owners([left, hippocampus, brain], "exclusive", 3, LEFT)).toEqual([0]);
  expect(owners([hippocampus, brain], "exclusive", 2)).toEqual([1]);
});

test("the background is nobody's", () => {
  expect(owners([brain], "overlapping", 0)).toEqual([]);
});
