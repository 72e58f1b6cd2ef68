import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNifti } from "#converters/nifti/index.ts";
import { type InstalledLabels, openModelStore } from "#models/index.ts";
import { createLabelsModel } from "#server/engines/index.ts";
import { compare, type Report } from "../figure.ts";
import { interleave } from "../interleave.ts";
import { peakMiBOf } from "../peak-memory.ts";

/** Debian's mricron-data, as the demo has it: a T1 of a head in voxels of 1 mm. */
const HEAD = "/usr/share/mricron/templates/ch2.nii.gz";
const MESHNET = process.env.PARSE3D_BENCH_MESHNET ?? join(import.meta.dirname, "../../../shared/models/brainchop");
const ROUNDS = 3;

interface Sample {
  readonly seconds: number;
  readonly peakMiB: number;
}

/** The built-in brain network on a T1 of 1 mm, question to answer in a new process, beside MeshNet where its weights are. */
export async function brain(report: Report): Promise<void> {
  const bytes = await readFile(HEAD).catch(() => undefined);
  if (!bytes) {
    report.note(`*** LEFT OUT: brain-t1-unet: ${HEAD} is not there (Debian: mricron-data) ***`);
    return;
  }
  report.note("brain-t1-unet on a T1 of 1 mm ...");
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  try {
    await mkdir(join(folder, "models"));
    const store = openModelStore(join(folder, "models"));
    const { brainT1 } = await store.ensureBuiltIn();
    const hasMeshNet = await stat(MESHNET).then(
      () => true,
      () => false,
    );
    if (!hasMeshNet) report.note(`MeshNet's weights are not there (PARSE3D_BENCH_MESHNET): nothing to stand beside`);
    const meshNet = hasMeshNet ? await store.pull("brain-t1", { from: MESHNET }) : undefined;
    const asked = (model: InstalledLabels) => async (): Promise<Sample> => {
      await using engine = createLabelsModel(model);
      const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
      const volume = readNifti(bytes, { modality: "MR" });
      const begun = performance.now();
      let planes = 0;
      const prompts = [{ id: "p1", text: "hippocampus" }];
      for await (const { mask } of engine.segment(volume, prompts, { merge: "exclusive", probabilities: false }, run)) {
        if (mask) planes++;
      }
      if (planes === 0) throw new Error(`${model.card.name} found no hippocampus`);
      const seconds = (performance.now() - begun) / 1000;
      return { seconds, peakMiB: peakMiBOf(engine.status().pid) };
    };
    const ours = asked(brainT1 as InstalledLabels);
    const samples = meshNet
      ? await interleave(ROUNDS, { ours, peer: asked(meshNet as InstalledLabels) })
      : { ...(await interleave(ROUNDS, { ours })), peer: undefined };
    for (const [unit, value] of [
      ["s", ({ seconds }: Sample) => seconds],
      ["peak MiB", ({ peakMiB }: Sample) => peakMiB],
    ] as const) {
      const peer = samples.peer && { name: "MeshNet (brain-t1)", samples: samples.peer.map(value) };
      report.figure(compare("brain-t1-unet on a T1 of 1 mm, process and all", unit, samples.ours.map(value), peer));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
