import { invert, type SliceStack, transformPoint, type Vec3, type VolumeGeometry } from "../geometry/index.ts";

/** Parallel slices that lie where their sources say, or a regular grid. */
export type Slices = VolumeGeometry | Pick<SliceStack, "geometry" | "sources">;

export function geometryOf(slices: Slices): VolumeGeometry {
  return "geometry" in slices ? slices.geometry : slices;
}

/** From mm in LPS to (i, j, k): whole numbers are the centres of voxels. Between uneven slices it is the nearest one's k that counts. */
export function voxelPlaces(slices: Slices): (lps: Vec3) => Vec3 {
  const lpsToIjk = invert(geometryOf(slices).ijkToLps);
  if (!("geometry" in slices)) return (lps) => transformPoint(lpsToIjk, lps);
  const firsts = slices.sources.map(({ sliceIndex, positionLps }) => ({
    sliceIndex,
    at: transformPoint(lpsToIjk, positionLps),
  }));
  return (lps) => {
    const [i, j, k] = transformPoint(lpsToIjk, lps);
    let nearest = firsts[0]!;
    for (const first of firsts) if (Math.abs(first.at[2] - k) < Math.abs(nearest.at[2] - k)) nearest = first;
    const { sliceIndex, at } = nearest;
    return [i - at[0], j - at[1], sliceIndex + k - at[2]];
  };
}
