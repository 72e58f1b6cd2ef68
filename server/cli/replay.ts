import type { Command } from "commander";
import { replaySeg } from "#server/cohort/index.ts";
import { runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";

export function addReplayCommand(program: Command): void {
  program
    .command("replay")
    .summary("run again what a stored SEG was made by, and compare")
    .description(
      "Asks the same prompts of the same series with the model and the options that the SEG names, stores nothing, and tells the Dice of each segment: 1 where the voxels are the same.",
    )
    .argument("<uid>", "SOPInstanceUID of a SEG of Parse3D in the archive")
    .option("--json", "print one JSON document")
    .action((uid: string, options: { readonly json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        await using ports = await openCommandPorts();
        const instance = await ports.archive.locateInstance(uid, { signal });
        const part10 = await ports.archive.fetchInstance(instance, { signal });
        using watch = terminal.watch(signal);
        const replay = await replaySeg(ports, part10, watch);
        terminal.answer(replay, [
          ...replay.segments.map(({ label, dice, voxels }) => `${label}: Dice ${dice.toFixed(4)} of ${voxels} voxels`),
          ...(replay.sameModel === false ? ["The model's files are not those that the SEG was made with."] : []),
          ...(replay.sameInstances ? [] : ["The series has other instances now than the SEG was made from."]),
          ...replay.notes,
          `${replay.model.name}, version ${replay.model.version}. Research use only.`,
        ]);
      }),
    );
}
