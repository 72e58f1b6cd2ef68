import { type BitVolume, readSlice } from "./bit-volume.ts";

/** Corners of a closed line in a slice, i and j in voxels (a voxel's centre is whole numbers); the last joins the first. */
export type Polygon = readonly (readonly [i: number, j: number])[];

/**
 * The outlines of the mask in slice k, along the edges of its voxels: their area is the voxels' own, and no voxel's centre
 * lies on one. Pieces that touch at a corner are apart. A hole is joined with the line around it by a channel without
 * width (the keyhole of PS3.3 section C.8.8.6.3), so that each piece is one line.
 */
export function outlinesOfSlice(mask: BitVolume, k: number): readonly Polygon[] {
  const inside = readSlice(mask, k);
  const [width, height] = mask.size;
  const loops = trace(inside, width, height);
  const outer = loops.filter((loop) => signedArea(loop) > 0);
  const holes = loops.filter((loop) => signedArea(loop) < 0).map(fromItsLeft);
  const doors = doorsOf(holes, inside, width);
  // Corners are counted from the first voxel's corner, half a voxel before its centre.
  return outer.map((loop) => withHoles(loop, doors, width).map(([x, y]) => [x - 0.5, y - 0.5] as const));
}

type Corner = readonly [x: number, y: number];

/** East, south, west, north; each is a right turn from the one before. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** Every boundary between voxels inside and outside, walked with the inside on the right (j runs down). */
function trace(inside: Uint8Array, width: number, height: number): Corner[][] {
  const at = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && inside[y * width + x] !== 0;
  /** Whether the boundary goes on from this corner in this direction. */
  const leads = (x: number, y: number, direction: number): boolean => {
    if (direction === 0) return at(x, y) && !at(x, y - 1);
    if (direction === 1) return at(x - 1, y) && !at(x, y);
    if (direction === 2) return at(x - 1, y - 1) && !at(x - 1, y);
    return at(x, y - 1) && !at(x - 1, y - 1);
  };
  const walked = new Uint8Array(width * height);
  const loops: Corner[][] = [];
  for (let start = 0; start < inside.length; start++) {
    // Each loop has an edge that runs east, along the top of a voxel.
    if (inside[start] === 0 || walked[start] === 1 || !leads(start % width, Math.floor(start / width), 0)) continue;
    const first: Corner = [start % width, Math.floor(start / width)];
    const loop: Corner[] = [];
    let [x, y] = first;
    let direction = 0;
    do {
      if (direction === 0) walked[y * width + x] = 1;
      x += STEPS[direction]![0];
      y += STEPS[direction]![1];
      const next = [1, 0, 3].map((turn) => (direction + turn) & 3).find((way) => leads(x, y, way))!;
      if (next !== direction) loop.push([x, y]);
      direction = next;
    } while (!(x === first[0] && y === first[1] && direction === 0));
    loops.push(loop);
  }
  return loops;
}

/** Positive where the inside is enclosed, negative around a hole. */
function signedArea(loop: readonly Corner[]): number {
  let twice = 0;
  for (let n = 0; n < loop.length; n++) {
    const [a, b] = [loop[n]!, loop[(n + 1) % loop.length]!];
    twice += a[0] * b[1] - b[0] * a[1];
  }
  return twice / 2;
}

/** A quarter of a voxel below a row's edge: neither a corner nor a centre lies there. */
const CHANNEL = 0.25;

/** The loop begun anew at a point of its leftmost edge. */
function fromItsLeft(loop: readonly Corner[]): Corner[] {
  const left = Math.min(...loop.map(([x]) => x));
  const n = loop.findIndex(([x], m) => x === left && loop[(m + 1) % loop.length]![0] === left);
  const top = Math.min(loop[n]![1], loop[(n + 1) % loop.length]![1]);
  return [[left, top + CHANNEL], ...loop.slice(n + 1), ...loop.slice(0, n + 1)];
}

/** Holes by the voxel on whose left edge the channel to them begins. */
type Doors = ReadonlyMap<number, readonly Corner[]>;

/**
 * Where the channels end that run from each hole's first point straight to the left, to the nearest line there.
 * Two never end at one edge, for behind the first hole of a row the next one finds that hole's own right side.
 */
function doorsOf(holes: readonly Corner[][], inside: Uint8Array, width: number): Doors {
  return new Map(
    holes.map((hole) => {
      const [x, y] = hole[0]!;
      const row = Math.floor(y) * width;
      let left = x - 1;
      while (left > 0 && inside[row + left - 1] !== 0) left--;
      return [row + left, hole];
    }),
  );
}

/** The next corner of a line, and the hole that a channel leads to from there. */
type Step = readonly [corner: Corner, hole?: readonly Corner[]];

/** The loop with all holes that channels lead to from it, and from those. Holes may hang on holes thousands deep. */
function withHoles(around: readonly Corner[], doors: Doors, width: number): Corner[] {
  const line: Corner[] = [];
  const walks = [stepsOf(around, doors, width, [])];
  for (let walk = walks.at(-1); walk !== undefined; walk = walks.at(-1)) {
    const { value, done } = walk.next();
    if (done) {
      walks.pop();
      continue;
    }
    const [corner, hole] = value;
    line.push(corner);
    if (hole !== undefined) walks.push(stepsOf(hole, doors, width, [hole[0]!, corner]));
  }
  return line;
}

/** @param back where the line goes once it has been around */
function* stepsOf(
  loop: readonly Corner[],
  doors: Doors,
  width: number,
  back: readonly Corner[],
): Generator<Step, void> {
  for (let n = 0; n < loop.length; n++) {
    const [[x, y], [toX, toY]] = [loop[n]!, loop[(n + 1) % loop.length]!];
    yield [loop[n]!];
    // Left edges of voxels are walked upwards.
    if (toX !== x) continue;
    for (let row = y - 1; row >= toY; row--) {
      const hole = doors.get(row * width + x);
      if (hole !== undefined) yield [[x, row + CHANNEL], hole];
    }
  }
  for (const corner of back) yield [corner];
}
