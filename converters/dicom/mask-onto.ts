import { type BitVolume, createBitVolume } from "../mask/index.ts";
import { copyBits } from "./bit-copy.ts";
import type { DecodedSeg } from "./decoded-seg.ts";
import { type FrameWalk, frameWalk, refuseOtherFrameOfReference } from "./frame-walk.ts";
import { memberPixels } from "./seg-pixels.ts";
import { geometryOf, type Slices, voxelPlaces } from "./voxel-places.ts";

/**
 * One segment as a mask on a grid, or on slices that lie where their sources say. The frames' pixels must be their voxels: the
 * same centres, whichever way rows, columns and slices run.
 *
 * @throws UnsupportedImageError "unsupported-dimensions" where a frame lies off the grid or in another frame of reference
 * @throws RangeError where there is no such segment
 */
export function maskOnto(seg: DecodedSeg, segmentNumber: number, onto: Slices): BitVolume {
  if (!seg.segments.some(({ number }) => number === segmentNumber)) {
    throw new RangeError(`the segmentation has no segment ${segmentNumber}`);
  }
  const geometry = geometryOf(onto);
  refuseOtherFrameOfReference(seg, geometry);
  const mask = createBitVolume(geometry.size);
  const placeOf = voxelPlaces(onto);
  const { rows, columns } = seg.frameGeometry;
  const filled = new Set<number>();
  for (let n = 0; n < seg.frames.length; n++) {
    const frame = seg.frames[n]!;
    if (frame.segmentNumber !== undefined && frame.segmentNumber !== segmentNumber) continue;
    const walk = frameWalk(seg, n, placeOf, geometry.size);
    const wholeSlice = walk.across === 1 && walk.down === columns && columns === geometry.size[0];
    if (seg.type === "BINARY" && wholeSlice && rows === geometry.size[1] && !filled.has(walk.start)) {
      const { bytes, startBit } = seg.pixels.frame(n);
      copyBits(bytes, startBit, mask.bits, walk.start, rows * columns);
    } else {
      setPixels(mask.bits, memberPixels(seg.pixels, rows * columns, n, segmentNumber), columns, walk);
    }
    filled.add(walk.start);
  }
  return mask;
}

function setPixels(
  bits: Uint8Array,
  members: ArrayLike<number>,
  columns: number,
  { start, across, down }: FrameWalk,
): void {
  for (let p = 0, y = start; p < members.length; y += down) {
    for (let x = 0, n = y; x < columns; x++, p++, n += across) {
      if (members[p]) bits[Math.floor(n / 8)]! |= 1 << (n & 7);
    }
  }
}
