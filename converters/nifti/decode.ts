import type { Volume } from "../geometry/index.ts";
import { type ReadNiftiOptions, readNifti, volumesIn } from "./read.ts";

export interface DecodedNifti {
  readonly volume: Volume;
  /** Which volume was read of a file that holds several, as a sentence for the user. */
  readonly notes: readonly string[];
}

/**
 * As readNifti, for callers who tell their user the notes: of a file that holds several volumes the first is read where none
 * is chosen, as `decodeSeries` does of a DICOM series.
 * @throws UnsupportedImageError with the reason
 */
export function decodeNifti(bytes: Uint8Array, options: ReadNiftiOptions = {}): DecodedNifti {
  const { volumeIndex = 0 } = options;
  const volumes = volumesIn(bytes);
  const volume = readNifti(bytes, { ...options, volumeIndex });
  if (volumes === 1) return { volume, notes: [] };
  const note = `The file holds ${volumes} volumes, 0 to ${volumes - 1}; volume ${volumeIndex} was read. Others are chosen by number.`;
  return { volume, notes: [note] };
}
