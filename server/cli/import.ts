import { createHash } from "node:crypto";
import type { Command } from "commander";
import { encodeImageSeries } from "#converters/dicom/index.ts";
import { decodeNifti, numbersOnly } from "#converters/nifti/index.ts";
import { Uid } from "#server/contract/index.ts";
import type { Archive } from "#server/dicomweb/index.ts";
import { deterministicUid, InvalidRequestError } from "#server/domain/index.ts";
import { runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";
import { readNiftiInput } from "./nifti-input.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options {
  readonly modality: string;
  readonly patientId: string;
  readonly patientName?: string;
  readonly description: string;
  readonly study?: string;
  readonly volume?: number;
  readonly json?: boolean;
}

export function addImportCommand(program: Command): void {
  program
    .command("import")
    .summary("a NIfTI file into the archive as a DICOM series")
    .description(
      "Writes a NIfTI volume as a CT or MR series and stores it. The same file and patient give the same UIDs.",
    )
    .argument("<file>", "a NIfTI file (.nii, .nii.gz)")
    .requiredOption("--modality <modality>", "CT (values are HU) or MR")
    .requiredOption("--patient-id <id>", "a research pseudonym; never a real patient's identity")
    .option("--patient-name <name>", "as DICOM spells it: FAMILY^GIVEN")
    .option("--description <text>", "SeriesDescription", "Imported from NIfTI")
    .option("--study <uid>", "StudyInstanceUID to add to; otherwise a study of its own")
    .option(
      "--volume <n>",
      "which volume of a file that holds several, counted from 0; left out: the first",
      wholeNumber,
    )
    .option("--json", "print one JSON document")
    .action((file: string, options: Options) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        const modality = options.modality.toUpperCase();
        if (modality !== "CT" && modality !== "MR") throw new InvalidRequestError("--modality is CT or MR.");
        checkIdentity(options);
        const nifti = await readNiftiInput(file);
        const { volume: volumeIndex } = options;
        const read = decodeNifti(nifti, { modality, ...(volumeIndex !== undefined && { volumeIndex }) });
        const { volume, notes: onNumbers } = numbersOnly(read.volume);
        const notes = [...read.notes, ...onNumbers];
        const key = createHash("sha256")
          .update(nifti)
          .update(JSON.stringify([modality, options.patientId, options.study ?? "", volumeIndex ?? 0]))
          .digest("hex");
        const study = options.study ?? deterministicUid(key, "study");
        const series = deterministicUid(key, "series");
        const instances = encodeImageSeries(volume, {
          patient: { id: options.patientId, ...(options.patientName && { name: options.patientName }) },
          modality,
          seriesDescription: options.description,
          uids: {
            study,
            series,
            frameOfReference: deterministicUid(key, "frame of reference"),
            instance: (k) => deterministicUid(key, `instance ${k}`),
          },
          at: new Date(),
        });
        await using ports = await openCommandPorts();
        if (options.study) await refuseOtherPatient(ports.archive, options.study, options.patientId, signal);
        using watch = terminal.watch(signal);
        const count = volume.geometry.size[2];
        let stored = 0;
        try {
          for (const instance of instances) {
            await ports.sink.store(instance, { signal });
            stored += 1;
            watch.progress("store", stored / count, `${stored}/${count}`);
          }
        } catch (error) {
          if (stored > 0)
            terminal.say(`${stored} of ${count} instances were stored; the same command completes the series.`);
          throw error;
        }
        terminal.answer({ studyInstanceUid: study, seriesInstanceUid: series, instances: stored, notes }, [
          ...notes,
          `stored ${stored} instances`,
          `study  ${study}`,
          `series ${series}`,
        ]);
      }),
    );
}

/** @throws InvalidRequestError where an identity would not be stored as it was given (PS3.5 section 6.2: LO, PN, UI) */
function checkIdentity({ patientId, patientName, study }: Options): void {
  if (!/^[^\\\p{Cc}]{1,64}$/u.test(patientId) || patientId.trim() === "") {
    throw new InvalidRequestError("--patient-id has 1 to 64 characters, without a backslash.");
  }
  if (patientName !== undefined && !/^[^\\\p{Cc}=]{1,64}$/u.test(patientName)) {
    throw new InvalidRequestError("--patient-name has 1 to 64 characters, without a backslash or an equals sign.");
  }
  if (study !== undefined && !Uid.safeParse(study).success)
    throw new InvalidRequestError("--study is not a DICOM UID.");
}

/** A study has one patient. @throws InvalidRequestError where the archive holds it for another */
async function refuseOtherPatient(
  archive: Archive,
  study: string,
  patientId: string,
  signal: AbortSignal,
): Promise<void> {
  const [held] = await archive.searchStudies({ studyInstanceUid: study }, { signal });
  if (held === undefined || (held.patientId ?? "") === patientId) return;
  throw new InvalidRequestError("--study is another patient's study in the archive. Check --study and --patient-id.");
}
