import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addConvertCommand } from "./convert.ts";
import { addDemoCommand } from "./demo.ts";
import { exitCodeHelp, exitCodes } from "./exit-code.ts";
import { addImportCommand } from "./import.ts";
import { addModelsCommand } from "./models.ts";
import { addSegmentCommand } from "./segment.ts";
import { addServeCommand } from "./serve.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("parse3d")
  .description("Text-prompted 3D segmentation of medical images: from a prompt to a DICOM SEG. Research use only.")
  .version(version)
  .addHelpText("after", exitCodeHelp)
  .showHelpAfterError("(parse3d --help shows what there is)")
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  });

addSegmentCommand(program);
addConvertCommand(program);
addImportCommand(program);
addModelsCommand(program);
addServeCommand(program);
addDemoCommand(program);

await program.parseAsync();
