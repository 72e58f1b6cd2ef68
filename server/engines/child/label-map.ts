import { determinant, dot, transformPoint, type Vec3, type VolumeGeometry } from "#converters/geometry/index.ts";
import type { LabelsManifest } from "#models/index.ts";
import { labelComponents } from "./label-components.ts";
import { fitMidsagittal, type MidsagittalPlane } from "./midsagittal.ts";

/** A network's labels on a grid, and the side of each voxel whose label covers both sides of the body. */
export interface LabelMap {
  readonly labels: Uint8Array;
  /** `LEFT`, `RIGHT` or 0; absent where labels carry their side, or sides cannot be told. */
  readonly sides?: Uint8Array;
}

export const LEFT = 1;
export const RIGHT = 2;

/** A class' connected piece below this is noise: the smallest structures that networks name have some hundred mm^3. */
const smallestPieceMm3 = 20;
/** A piece of which so much lies on one side belongs to that side as a whole: the two hippocampi never touch. */
const wholeShare = 0.85;

/** The largest connected thing that the network saw, whatever its labels: the organ. All else becomes background. */
export function keepLargestObject(labels: Uint8Array, size: Vec3): { readonly labels: Uint8Array; voxels: number } {
  const { start, end, component, voxels } = labelComponents(labels, size, { joinLabels: true });
  const largest = voxels.reduce((best, count, number) => (count > (voxels[best] ?? -1) ? number : best), 0);
  const kept = new Uint8Array(labels.length);
  for (let r = 0; r < start.length; r++) {
    if (component[r] === largest) kept.set(labels.subarray(start[r], end[r]), start[r]);
  }
  return { labels: kept, voxels: voxels[largest] ?? 0 };
}

/**
 * The organ, and around it what the network calls its surroundings: what looked like a piece of the organ and lies apart
 * from it is part of them. `voxels` are the organ's.
 */
export function keepOrgan(
  labels: Uint8Array,
  size: Vec3,
  surroundings: number | undefined,
): { readonly labels: Uint8Array; voxels: number } {
  if (surroundings === undefined) return keepLargestObject(labels, size);
  const organ = keepLargestObject(
    labels.map((label) => (label === surroundings ? 0 : label)),
    size,
  );
  const all = labels.map((label, n) => (label === 0 ? 0 : organ.labels[n] || surroundings));
  return { labels: keepLargestObject(all, size).labels, voxels: organ.voxels };
}

/** Drops pieces that are too small to be anything, and tells left from right by the anatomy itself. */
export function refineLabels(
  labels: Uint8Array,
  grid: VolumeGeometry,
  { sides: rule, classes }: Pick<LabelsManifest, "sides" | "classes">,
): LabelMap {
  const pieces = labelComponents(labels, grid.size, { joinLabels: false });
  const smallest = smallestPieceMm3 / Math.abs(determinant(grid.ijkToLps));
  const kept = new Uint8Array(labels.length);
  const { start, end, label, component, voxels } = pieces;
  for (let r = 0; r < start.length; r++) {
    if (voxels[component[r]!]! >= smallest) kept.fill(label[r]!, start[r], end[r]);
  }
  const plane = rule.rule === "midsagittal" ? fitMidsagittal(kept, grid, rule.planeFrom) : undefined;
  if (!plane) return { labels: kept };
  const paired = new Set(classes.filter(({ side }) => side === "both").map(({ value }) => value));
  const sides = new Uint8Array(labels.length);
  const isLeft = leftOf(plane, grid);
  const left = new Float64Array(voxels.length);
  for (let r = 0; r < start.length; r++) {
    if (!paired.has(label[r]!)) continue;
    for (let n = start[r]!; n < end[r]!; n++) if (isLeft(n)) left[component[r]!]!++;
  }
  for (let r = 0; r < start.length; r++) {
    if (!paired.has(label[r]!)) continue;
    const share = left[component[r]!]! / voxels[component[r]!]!;
    if (share >= wholeShare) sides.fill(LEFT, start[r], end[r]);
    else if (share <= 1 - wholeShare) sides.fill(RIGHT, start[r], end[r]);
    else for (let n = start[r]!; n < end[r]!; n++) sides[n] = isLeft(n) ? LEFT : RIGHT;
  }
  return { labels: kept, sides };
}

/** Whether voxel n of the grid lies on the patient's left: the plane's equation in voxel numbers. */
function leftOf({ normal, offset }: MidsagittalPlane, { size: [ni, nj], ijkToLps }: VolumeGeometry) {
  const at = (ijk: Vec3) => dot(transformPoint(ijkToLps, ijk), normal) - offset;
  const origin = at([0, 0, 0]);
  const [di, dj, dk] = [at([1, 0, 0]) - origin, at([0, 1, 0]) - origin, at([0, 0, 1]) - origin];
  const slice = ni * nj;
  return (n: number) => {
    const k = Math.floor(n / slice);
    const inSlice = n - k * slice;
    const j = Math.floor(inSlice / ni);
    return origin + di * (inSlice - j * ni) + dj * j + dk * k > 0;
  };
}
