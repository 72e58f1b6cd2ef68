import { openSeries } from "#converters/dicom/index.ts";
import type { SliceStack, VolumeGeometry } from "#converters/geometry/index.ts";
import { decodeNifti, isNifti } from "#converters/nifti/index.ts";
import { dicomFilesIn } from "../dicom-folder.ts";
import { isFolder, readInput } from "../files.ts";

/** The series that a SEG is put on: of its images only the grid is needed. */
export interface LikeSeries {
  readonly geometry: VolumeGeometry;
  /** The slices as they were sent, where the grid was interpolated from them: a SEG lies on these. */
  readonly stack?: SliceStack;
  /** A NIfTI file does not say it. */
  readonly seriesInstanceUid?: string;
}

/**
 * @param path a folder with one DICOM series, or a file: an enhanced DICOM image, or a NIfTI file of the same voxels
 * @param options which volume of several, and whether uneven slices go onto a regular grid, as `convert` does
 * @throws InvalidRequestError, UnsupportedSeriesError, UnsupportedImageError
 */
export async function openLike(
  path: string,
  options: { readonly volume?: number; readonly resample?: boolean; readonly signal: AbortSignal },
): Promise<LikeSeries> {
  const bytes = (await isFolder(path, "--like")) ? undefined : await readInput(path);
  if (bytes && isNifti(bytes)) {
    const { volume: volumeIndex } = options;
    return { geometry: decodeNifti(bytes, volumeIndex === undefined ? {} : { volumeIndex }).volume.geometry };
  }
  const { volume, header } = await openSeries(bytes ? [bytes] : dicomFilesIn(path), options);
  const { geometry, stack } = volume;
  return { geometry, ...(stack && { stack }), seriesInstanceUid: header.series.SeriesInstanceUID };
}
