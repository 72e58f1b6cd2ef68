import { UnsupportedImageError } from "../errors.ts";
import type { Volume } from "../geometry/index.ts";
import { ijkToLpsOf } from "./affine.ts";
import { gunzipStart, gunzipWhole, isGzip } from "./gunzip.ts";
import { detect, headerBytes, type NiftiHeader, parseHeader } from "./header.ts";
import { decodeVoxels } from "./voxels.ts";

export interface ReadNiftiOptions {
  /**
   * Which volume of a file that holds several (time points, components), counted from 0, the 4th dimension fastest. Such a file
   * is refused where none is chosen.
   */
  readonly volumeIndex?: number;
  /** DICOM's Modality, which NIfTI does not know; "OT" where not said. "CT" means that the values are HU. */
  readonly modality?: string;
  /** The most voxels that a file may declare, all its volumes together; 2^31 - 1 where not said. */
  readonly maxVoxels?: number;
}

/** Whether the bytes are a NIfTI-1 or -2 file, gzipped or not. */
export function isNifti(bytes: Uint8Array): boolean {
  try {
    return detect(isGzip(bytes) ? gunzipStart(bytes, headerBytes) : bytes.subarray(0, headerBytes)) !== undefined;
  } catch {
    return false;
  }
}

/** How many volumes a file's header declares. @throws UnsupportedImageError with the reason */
export function volumesIn(bytes: Uint8Array): number {
  return headerOf(bytes).volumes;
}

/**
 * A single-file NIfTI-1 or -2 (.nii, .nii.gz) as a volume in LPS. The voxels are the caller's own: `bytes` is not
 * referred to afterwards.
 * @throws UnsupportedImageError with the reason; nothing large is allocated before the header has been checked
 */
export function readNifti(bytes: Uint8Array, options: ReadNiftiOptions = {}): Volume {
  const header = headerOf(bytes);
  if (header.layout === "pair") {
    const explanation = "This is the header of an image in two files. Give the .hdr and the .img file together.";
    throw new UnsupportedImageError("not-nifti", explanation);
  }
  const least = header.version === 1 ? 352 : 544;
  const voxelOffset = header.voxelOffset === 0 ? least : header.voxelOffset;
  if (voxelOffset < least) {
    const explanation = "The header says that the voxels begin inside the header. Export the image again.";
    throw new UnsupportedImageError("invalid-header", explanation);
  }
  return volumeFrom({ ...header, voxelOffset }, bytes, options);
}

/**
 * NIfTI-1 or -2 in two files (.hdr and .img, each gzipped or not), as readNifti.
 * @throws UnsupportedImageError with the reason
 */
export function readNiftiPair(header: Uint8Array, image: Uint8Array, options: ReadNiftiOptions = {}): Volume {
  const parsed = headerOf(header);
  if (parsed.layout === "single") {
    throw new UnsupportedImageError("not-nifti", "The header belongs to a single file that holds its own voxels.");
  }
  return volumeFrom(parsed, image, options);
}

function headerOf(bytes: Uint8Array): NiftiHeader {
  return parseHeader(isGzip(bytes) ? gunzipStart(bytes, headerBytes) : bytes.subarray(0, headerBytes));
}

function volumeFrom(header: NiftiHeader, file: Uint8Array, options: ReadNiftiOptions): Volume {
  const zipped = isGzip(file);
  const { size, volumes, voxelOffset, dataType } = header;
  const { modality = "OT", maxVoxels = 2 ** 31 - 1 } = options;
  const voxels = size[0] * size[1] * size[2];
  if (!(voxels * volumes <= maxVoxels)) {
    const shape = [...size, ...(volumes > 1 ? [volumes] : [])].join(" x ");
    const explanation = `The header declares ${shape} voxels; at most ${maxVoxels} in all are read. Crop or resample it.`;
    throw new UnsupportedImageError("too-large", explanation);
  }
  if (!Number.isSafeInteger(voxelOffset) || voxelOffset < 0) {
    throw new UnsupportedImageError(
      "invalid-header",
      "The header does not say where the voxels begin. Export it again.",
    );
  }
  const index = chosenVolume(volumes, options.volumeIndex);
  const ijkToLps = ijkToLpsOf(header);
  const end = voxelOffset + voxels * volumes * dataType.bytes;
  const content = zipped ? gunzipWhole(file, end) : file;
  if (content.length < end) {
    const explanation = "The file holds fewer voxels than its header declares. Fetch or export it again.";
    throw new UnsupportedImageError("truncated", explanation);
  }
  const start = voxelOffset + index * voxels * dataType.bytes;
  const stored = content.subarray(start, start + voxels * dataType.bytes);
  // What was unpacked is nobody else's; where it is one volume, it need not be copied.
  const ours = zipped && volumes === 1 && content.byteLength > 2 ** 16 && stored.byteOffset % dataType.bytes === 0;
  return {
    geometry: { size, ijkToLps, frameOfReferenceUid: "" },
    voxels: decodeVoxels(ours ? stored : new Uint8Array(stored), header),
    unit: modality === "CT" ? "HU" : "arbitrary",
    modality,
    sources: [],
  };
}

function chosenVolume(volumes: number, asked: number | undefined): number {
  const numbered = volumes === 1 ? "one volume, number 0" : `${volumes} volumes, 0 to ${volumes - 1}`;
  if (asked === undefined) {
    if (volumes === 1) return 0;
    const explanation = `The file holds ${numbered}, and one is needed here. Give a file of one volume.`;
    throw new UnsupportedImageError("unsupported-dimensions", explanation);
  }
  if (Number.isInteger(asked) && asked >= 0 && asked < volumes) return asked;
  const explanation = `Volume ${asked} was asked for, but the file holds ${numbered}. Choose one of these.`;
  throw new UnsupportedImageError("unsupported-dimensions", explanation);
}
