import { openSeries } from "#converters/dicom/index.ts";
import type { Volume } from "#converters/geometry/index.ts";
import { numbersOnly, readNifti } from "#converters/nifti/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { dicomFilesIn } from "../dicom-folder.ts";
import { isFolder, readInput } from "../files.ts";
import { ofFile } from "./errors.ts";

/**
 * A NIfTI file, or a folder with one DICOM series, as a volume with the values that models are given: padding is air.
 * @param said what the case says of its modality; DICOM says it itself
 * @param options.needsModality whether a NIfTI file of which it is not said can be used
 * @throws InvalidRequestError, UnsupportedImageError, UnsupportedSeriesError
 */
export async function readImage(
  path: string,
  said: string | undefined,
  { needsModality, signal }: { readonly needsModality: boolean; readonly signal: AbortSignal },
): Promise<Volume> {
  const modality = said?.toUpperCase();
  if (!(await isFolder(path, "The image"))) {
    if (modality === undefined && needsModality) {
      throw new InvalidRequestError('A NIfTI file does not say what it shows. Add "modality" to the case: CT, MR, ...');
    }
    const bytes = await readInput(path, "The image");
    return ofFile("image", () => numbersOnly(readNifti(bytes, modality === undefined ? {} : { modality })).volume);
  }
  const { volume } = await (await openSeries(dicomFilesIn(path), { signal, padding: "air" })).decode();
  if (modality !== undefined && modality !== volume.modality) {
    throw new InvalidRequestError(`The series is ${volume.modality}, not ${modality}. Check the case.`);
  }
  return volume;
}
