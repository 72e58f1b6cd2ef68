import { type DecodedSeg, maskOnto, openSeg } from "#converters/dicom/index.ts";
import {
  orientationOf,
  reorient,
  sameGrid,
  type Volume,
  type VolumeGeometry,
  voxelSizeMm,
} from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume } from "#converters/mask/index.ts";
import { isNifti, readNifti } from "#converters/nifti/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { readInput } from "../files.ts";
import type { Label } from "./case-list.ts";
import { GridMismatchError, ofFile } from "./errors.ts";

/** A segmentation: a NIfTI label map or a DICOM SEG. */
export interface Labels {
  /** Absent of a SEG whose frames lie on no regular grid. */
  readonly geometry?: VolumeGeometry;
  /**
   * The labels on a grid of the same voxels, whichever way its axes run.
   * @throws GridMismatchError, UnsupportedImageError where the voxels are others
   */
  onto(geometry: VolumeGeometry): (label: Label) => BitVolume;
}

/** @param what it is, in words for errors @throws InvalidRequestError, UnsupportedImageError */
export async function openLabels(path: string, what: "reference" | "prediction"): Promise<Labels> {
  const bytes = await readInput(path, `The ${what}`);
  return ofFile(what, async () =>
    isNifti(bytes) ? labelMap(readNifti(bytes), what) : segments(await openSeg(bytes), what),
  );
}

function labelMap(volume: Volume, what: string): Labels {
  return {
    geometry: volume.geometry,
    onto(geometry) {
      const turned = reorient(volume, orientationOf(geometry));
      const toleranceMm = SAME_PLACE * Math.min(...voxelSizeMm(geometry.ijkToLps));
      if (!sameGrid(turned.geometry, geometry, toleranceMm))
        throw new GridMismatchError(what, volume.geometry, geometry);
      return (label) => {
        if (typeof label === "string") {
          throw new InvalidRequestError(
            `The ${what} is a NIfTI label map, which has no names. Give the label's number.`,
          );
        }
        const wanted = new Set([label].flat());
        const mask = createBitVolume(geometry.size);
        const { voxels } = turned;
        for (let n = 0; n < voxels.length; n++) if (wanted.has(voxels[n]!)) mask.bits[n >>> 3]! |= 1 << (n & 7);
        return mask;
      };
    },
  };
}

/** Of a voxel's shortest side: how far the centres of two grids may lie apart and be the same. */
const SAME_PLACE = 0.02;

function segments(seg: DecodedSeg, what: string): Labels {
  const known = `It has segments ${seg.segments.map(({ number }) => number).join(", ")}.`;
  const numbersOf = (label: Label): readonly number[] =>
    [label].flat().map((one) => {
      const same = seg.segments.filter((segment) =>
        typeof one === "number" ? segment.number === one : segment.label.toLowerCase() === one.toLowerCase(),
      );
      if (same.length !== 1) {
        const how = same.length === 0 ? "no segment" : `${same.length} segments`;
        throw new InvalidRequestError(
          `The ${what} has ${how} ${typeof one === "number" ? one : `called "${one}"`}. ${known}`,
        );
      }
      return same[0]!.number;
    });
  return {
    ...(seg.geometry && { geometry: seg.geometry }),
    onto: (geometry) => (label) => {
      const masks = numbersOf(label).map((number) => maskOnto(seg, number, geometry));
      return masks.reduce((all, { bits }) => {
        for (let n = 0; n < bits.length; n++) all.bits[n]! |= bits[n]!;
        return all;
      });
    },
  };
}
