import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { bundles } from "./bundles.ts";

export interface Built {
  readonly file: string;
  readonly bytes: number;
}

/** Builds every bundle into a folder, each file of which is replaced in one step: others may be serving it. */
export async function build(folder: string): Promise<readonly Built[]> {
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, "building-"));
  try {
    const built: Built[] = [];
    for (const { input, output } of bundles) {
      await using bundle = await rolldown(input);
      const file = join(work, output.file);
      await bundle.write({ ...output, file });
      built.push({ file: output.file, bytes: (await stat(file)).size });
    }
    for (const file of await readdir(work)) await rename(join(work, file), join(folder, file));
    return built;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
