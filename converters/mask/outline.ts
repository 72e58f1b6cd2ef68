import { type BitVolume, readSlice } from "./bit-volume.ts";

/** Corners of a closed line in a slice, i and j in voxels (a voxel's centre is whole numbers); the last joins the first. */
export type Polygon = readonly (readonly [i: number, j: number])[];

/**
 * The outlines of the mask in slice k, along the edges of its voxels: their area is the voxels' own, and no voxel's centre
 * lies on one. Pieces that touch at a corner are apart. A hole is joined with the line around it by a channel without
 * width (the keyhole of PS3.3 section C.8.8.6.3), so that each piece is one line.
 */
export function outlinesOfSlice(mask: BitVolume, k: number): readonly Polygon[] {
  const loops = trace(readSlice(mask, k), mask.size[0], mask.size[1]);
  const outer = loops.filter((loop) => signedArea(loop) > 0);
  const holes = loops.filter((loop) => signedArea(loop) < 0).map(fromItsLeft);
  for (const hole of holes.toSorted((a, b) => a[0]![0] - b[0]![0])) joinHole(outer, hole);
  // Corners are counted from the first voxel's corner, half a voxel before its centre.
  return outer.map((loop) => loop.map(([x, y]) => [x - 0.5, y - 0.5] as const));
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

/** Cuts a channel from the hole's first point straight to the left, into the nearest line there. */
function joinHole(loops: Corner[][], hole: readonly Corner[]): void {
  const [x, y] = hole[0]!;
  let nearest: { readonly loop: Corner[]; readonly after: number; readonly left: number } | undefined;
  for (const loop of loops) {
    for (let n = 0; n < loop.length; n++) {
      const [a, b] = [loop[n]!, loop[(n + 1) % loop.length]!];
      if (a[0] !== b[0] || a[0] >= x || a[0] <= (nearest?.left ?? -1)) continue;
      if (y > Math.min(a[1], b[1]) && y < Math.max(a[1], b[1])) nearest = { loop, after: n, left: a[0] };
    }
  }
  if (nearest === undefined) throw new RangeError("a hole lies in no outline");
  const door: Corner = [nearest.left, y];
  nearest.loop.splice(nearest.after + 1, 0, door, ...hole, hole[0]!, door);
}
