import {
  add,
  dot,
  length,
  normalize,
  scale,
  subtract,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
} from "#converters/geometry/index.ts";

/** A point p lies on the patient's left where dot(p, normal) > offset; mm in LPS. */
export interface MidsagittalPlane {
  readonly normal: Vec3;
  readonly offset: number;
}

/** More points than this make the plane no better. */
const pointsOfLabel = 20_000;
const rounds = 20;

/**
 * The plane about which structures that lie alike on both sides are mirrored. It starts upright through their middle, and is
 * turned until it stands between the two halves of every structure: a head that is tilted or lies beside the middle of
 * the image does not matter, as long as it looks forward within some 40 degrees. Undefined where no structure has two halves.
 */
export function fitMidsagittal(
  labels: Uint8Array,
  grid: VolumeGeometry,
  planeFrom: readonly number[],
): MidsagittalPlane | undefined {
  const structures = planeFrom.map((value) => pointsOf(labels, grid, value)).filter((points) => points.length > 1);
  if (structures.length === 0) return undefined;
  const middle = scale(structures.map(mean).reduce(add), 1 / structures.length);
  let plane: MidsagittalPlane = { normal: [1, 0, 0], offset: middle[0] };
  for (let round = 0; round < rounds; round++) {
    const halves = structures.flatMap((points) => {
      const left = points.filter((point) => dot(point, plane.normal) > plane.offset);
      const right = points.filter((point) => dot(point, plane.normal) <= plane.offset);
      return left.length > 0 && right.length > 0 ? [{ left: mean(left), right: mean(right) }] : [];
    });
    if (halves.length === 0) return undefined;
    const across = halves.map(({ left, right }) => subtract(left, right)).reduce(add);
    if (length(across) === 0) return undefined;
    const normal = normalize(across);
    const offsets = halves.map(({ left, right }) => dot(scale(add(left, right), 0.5), normal));
    const offset = offsets.reduce((sum, one) => sum + one, 0) / offsets.length;
    const settled = dot(normal, plane.normal) > 1 - 1e-9 && Math.abs(offset - plane.offset) < 1e-3;
    plane = { normal, offset };
    if (settled) break;
  }
  return plane;
}

/** Centres of the label's voxels, mm in LPS; every n-th where there are very many. */
function pointsOf(labels: Uint8Array, { size: [ni, nj], ijkToLps }: VolumeGeometry, value: number): Vec3[] {
  let count = 0;
  for (let n = 0; n < labels.length; n++) if (labels[n] === value) count++;
  const step = Math.max(1, Math.ceil(count / pointsOfLabel));
  const points: Vec3[] = [];
  let seen = 0;
  for (let n = 0; n < labels.length; n++) {
    if (labels[n] !== value || seen++ % step !== 0) continue;
    points.push(transformPoint(ijkToLps, [n % ni, Math.floor(n / ni) % nj, Math.floor(n / (ni * nj))]));
  }
  return points;
}

function mean(points: readonly Vec3[]): Vec3 {
  let [x, y, z] = [0, 0, 0];
  for (const point of points) {
    x += point[0];
    y += point[1];
    z += point[2];
  }
  return [x / points.length, y / points.length, z / points.length];
}
