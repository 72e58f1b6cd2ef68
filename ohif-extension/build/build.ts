import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { bundles } from "./bundles.ts";

export interface Built {
  readonly file: string;
  readonly bytes: number;
}

/** Builds every bundle into a folder, which is replaced in one step. */
export async function build(folder: string): Promise<readonly Built[]> {
  const work = `${folder}.${process.pid}`;
  await mkdir(work, { recursive: true });
  try {
    const built: Built[] = [];
    for (const { input, output } of bundles) {
      await using bundle = await rolldown(input);
      const file = join(work, output.file);
      await bundle.write({ ...output, file });
      built.push({ file: output.file, bytes: (await stat(file)).size });
    }
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder);
    return built;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
