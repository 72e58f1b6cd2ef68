import { createHash } from "node:crypto";
import type { Command } from "commander";
import { encodeImageSeries } from "#converters/dicom/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { deterministicUid, InvalidRequestError } from "#server/domain/index.ts";
import { readInput } from "../files.ts";
import { runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";

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
    .option("--volume <n>", "which volume of a file that holds several, counted from 0", Number.parseInt)
    .option("--json", "print one JSON document")
    .action((file: string, options: Options) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        const modality = options.modality.toUpperCase();
        if (modality !== "CT" && modality !== "MR") throw new InvalidRequestError("--modality is CT or MR.");
        const nifti = await readInput(file);
        const { volume: volumeIndex } = options;
        const volume = readNifti(nifti, { modality, ...(volumeIndex !== undefined && { volumeIndex }) });
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
        using watch = terminal.watch(signal);
        const count = volume.geometry.size[2];
        let stored = 0;
        for (const instance of instances) {
          await ports.sink.store(instance, { signal });
          stored += 1;
          watch.progress("store", stored / count, `${stored}/${count}`);
        }
        terminal.answer({ studyInstanceUid: study, seriesInstanceUid: series, instances: stored }, [
          `stored ${stored} instances`,
          `study  ${study}`,
          `series ${series}`,
        ]);
      }),
    );
}
