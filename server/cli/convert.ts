import { type Command, Option } from "commander";
import { dicomFilesIn } from "../dicom-folder.ts";
import { isFolder, refuseUnwritable } from "../files.ts";
import { runCommand } from "./command.ts";
import { type ConvertOptions, convertSeries } from "./convert-series.ts";
import { niftiName } from "./nifti-name.ts";
import { wholeNumber } from "./whole-number.ts";

export function addConvertCommand(program: Command): void {
  program
    .command("convert")
    .summary("a DICOM series, a DICOM SEG, or one volume of a NIfTI file, to NIfTI")
    .description(
      "Converts one DICOM series to a NIfTI volume, or a DICOM SEG to a NIfTI label map. Of a NIfTI file with several volumes it takes one out.",
    )
    .argument(
      "<input>",
      "a folder with one series, or a file: a DICOM SEG, an enhanced (multi-frame) DICOM image, a NIfTI file",
    )
    .requiredOption("-o, --output <file>", "the NIfTI file to write: .nii, or .nii.gz (compressed)", niftiName)
    .option(
      "--volume <n>",
      "which volume of several (time, echo, b-value, stack), counted from 0; left out: the first",
      wholeNumber,
    )
    .option(
      "--like <series>",
      "of a SEG: put it on the whole grid of the series that it was made on (its folder, or one file); left out: only the slices that the SEG spans",
    )
    .option("--resample", "put tilted or unevenly spaced slices onto a regular grid instead of refusing them")
    .addOption(
      new Option(
        "--padding <what>",
        "outside the field of view (Pixel Padding Value): the files' value, or air (-1000 HU; 0 in PET, MR, NM)",
      )
        .choices(["keep", "air"])
        .default("keep"),
    )
    .addOption(
      new Option("--pet-units <units>", "of PET: SUV by body weight where the header allows it, or activity in Bq/mL")
        .choices(["suv", "activity"])
        .default("suv"),
    )
    .option("--json", "print one JSON document")
    .action((input: string, options: ConvertOptions) =>
      runCommand(options.json === true, async (context) => {
        await refuseUnwritable(options.output);
        if (!(await isFolder(input))) return (await import("./convert-file.ts")).convertFile(input, options, context);
        if (options.like !== undefined) {
          const { InvalidRequestError } = await import("#server/domain/index.ts");
          throw new InvalidRequestError("--like belongs to a DICOM SEG, and the input is a folder.");
        }
        return convertSeries(dicomFilesIn(input), options, context);
      }),
    );
}
