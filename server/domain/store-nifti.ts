import type { DecodedSeries } from "#converters/dicom/index.ts";
import { writeNifti } from "#converters/nifti/index.ts";
import { InvalidRequestError } from "./errors.ts";
import type { Answer } from "./findings.ts";
import { labelMapOf } from "./label-map.ts";
import type { NiftiFolder, Ports } from "./ports.ts";
import type { Output } from "./question.ts";

/** A file in the NIfTI folder. */
export interface StoredFile {
  /** Within the folder, with slashes. */
  readonly file: string;
}

/**
 * The folder, where masks are to go there: what would fail for it at the end fails before work is done.
 * @throws InvalidRequestError where this machine has none; as NiftiFolder.check
 */
export async function niftiFolderFor(
  outputs: readonly Output[],
  { niftiFolder }: Pick<Ports, "niftiFolder">,
): Promise<NiftiFolder | undefined> {
  if (!outputs.includes("nifti")) return undefined;
  if (!niftiFolder) {
    throw new InvalidRequestError(
      "The masks are to be written to a NIfTI folder, and the machine that did the job has none: set PARSE3D_NIFTI_FOLDER on all that do jobs.",
    );
  }
  await niftiFolder.check();
  return niftiFolder;
}

export interface NiftiMasks {
  /** The job's: the same question about the same instances is the same file. */
  readonly key: string;
  readonly series: DecodedSeries;
  readonly answers: readonly Answer[];
  /** Within the NIfTI folder; the folder itself where left out. */
  readonly subfolder?: string;
}

/** All that was found as one label map, value n for segment n, and its table. @throws as NiftiFolder.write */
export async function storeNifti(
  folder: NiftiFolder,
  { key, series, answers, subfolder }: NiftiMasks,
): Promise<{ readonly stored: StoredFile; readonly notes: readonly string[] }> {
  const { geometry, voxels, labels, overlapping } = labelMapOf(answers, series.volume.geometry);
  const { study, series: of, patient } = series.header;
  const file = await folder.write({
    patientId: patient.PatientID ?? "",
    studyInstanceUid: study.StudyInstanceUID,
    seriesInstanceUid: of.SeriesInstanceUID,
    key,
    ...(subfolder !== undefined && { subfolder }),
    nifti: writeNifti({ geometry, voxels }, { gzip: true }),
    labels,
  });
  const notes =
    overlapping === 0
      ? []
      : [`Masks overlap in ${overlapping} voxels; there the NIfTI file holds the highest number only.`];
  return { stored: { file }, notes };
}
