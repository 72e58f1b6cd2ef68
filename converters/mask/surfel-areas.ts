import { length, type Vec3 } from "../geometry/index.ts";

/**
 * Marching cubes: how the surface runs between eight neighbouring voxels, by which of them are inside. The cases that
 * rotation, mirroring and swapping inside with outside make of one another are one line: the voxels inside (by i, j and k:
 * 0 the lower, 1 the higher one), and for each triangle its normal's sizes along i, j and k, as long as its area, in eighths
 * of a voxel's face. Lorensen and Cline 1987; triangles as surface-distance has them (DeepMind, Apache-2.0), so that its
 * figures are ours.
 */
const CASES: readonly (readonly [inside: string, triangles: string])[] = [
  ["111", "111"],
  ["110 111", "220 220"],
  ["101 110", "111 111"],
  ["011 100", "111 111"],
  ["101 110 111", "111 222 400"],
  ["011 101 110", "111 111 111"],
  ["011 100 111", "022 022 111"],
  ["100 101 110 111", "400 400"],
  ["011 101 110 111", "111 111 222 222"],
  ["011 100 110 111", "022 111 202 333"],
  ["011 100 101 110", "111 111 222 400"],
  ["010 011 100 101", "220 220 220 220"],
  ["001 010 100 111", "111 111 111 111"],
];

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

const triples = (words: string): readonly Vec3[] =>
  words.split(" ").map((word) => [Number(word[0]), Number(word[1]), Number(word[2])]);

/** The bit of a neighbour in a code: 0 the lower voxel along an axis, 1 the higher one. */
export function neighbourBit(i: number, j: number, k: number): number {
  return 1 << (i + 2 * j + 4 * k);
}

/** For each code of eight neighbours (see neighbourBit) the normals of its triangles; none for 0 and 255. */
const NORMALS: readonly (readonly Vec3[])[] = (() => {
  const normals = Array.from({ length: 256 }, (): readonly Vec3[] => []);
  for (const [inside, triangles] of CASES) {
    for (const order of ORDERS) {
      const ordered = ([...v]: Vec3): Vec3 => [v[order[0]]!, v[order[1]]!, v[order[2]]!];
      for (let mirror = 0; mirror < 8; mirror++) {
        const code = triples(inside)
          .map(ordered)
          .reduce(
            (bits, [i, j, k]) => bits | neighbourBit(i ^ (mirror & 1), j ^ ((mirror >> 1) & 1), k ^ (mirror >> 2)),
            0,
          );
        normals[code] = triples(triangles).map(ordered);
        normals[255 - code] = normals[code]!;
      }
    }
  }
  return normals;
})();

/** The area of the surface between eight neighbours, mm^2, by their code. */
export function surfelAreas([si, sj, sk]: Vec3): Float64Array {
  const area = ([i, j, k]: Vec3) => length([(i / 8) * sj * sk, (j / 8) * si * sk, (k / 8) * si * sj]);
  return Float64Array.from(NORMALS, (triangles) => triangles.reduce((sum, normal) => sum + area(normal), 0));
}
