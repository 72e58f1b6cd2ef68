import { UnsupportedImageError } from "#converters/errors.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { isFolder, readInput } from "../files.ts";

/**
 * The NIfTI file that a command asks about.
 * @throws InvalidRequestError, UnsupportedImageError; of DICOM they say what to do with it
 */
export async function readNiftiInput(file: string): Promise<Uint8Array> {
  if (await isFolder(file, "The file")) {
    throw new InvalidRequestError(`The input is a folder, and a NIfTI file is needed. ${OF_DICOM}`);
  }
  const bytes = await readInput(file);
  if (String.fromCharCode(...bytes.subarray(128, 132)) === "DICM") {
    throw new UnsupportedImageError("not-nifti", `The file is DICOM, and NIfTI is needed. ${OF_DICOM}`);
  }
  return bytes;
}

const OF_DICOM =
  "Convert a DICOM series first (parse3d convert FOLDER -o scan.nii.gz), or ask about it in the archive (parse3d segment --series UID).";
