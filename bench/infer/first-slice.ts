import type { InstalledBundle } from "#models/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { compare, type Report } from "../figure.ts";
import { noisyCt } from "./small-network.ts";

const SIZE = [512, 512, 100] as const;
const FIRST = 60;
const ROUNDS = 3;
const PROMPTS = ["liver", "spleen", "left kidney", "aorta"];

/** From a question to its first plane, where the slice to begin with is named, beside all planes: the small network, warm. */
export async function firstSlice(report: Report, bundle: InstalledBundle): Promise<void> {
  report.note("time to the first slice's result, centre-out ...");
  await using model = createBundleModel(bundle);
  const prompts = PROMPTS.map((text, n) => ({ id: `p${n}`, text }));
  const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
  const first: number[] = [];
  const all: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const volume = noisyCt(SIZE, round + 1);
    const order: number[] = [];
    const begun = performance.now();
    let untilFirst = Number.NaN;
    const options = { merge: "exclusive", probabilities: false, firstSlice: FIRST } as const;
    for await (const { index } of model.segment(volume, prompts, options, run)) {
      if (order.length === 0) untilFirst = (performance.now() - begun) / 1000;
      if (order.at(-1) !== index) order.push(index);
    }
    const outwards = [FIRST, FIRST + 1, FIRST - 1, FIRST + 2, FIRST - 2];
    if (String(order.slice(0, 5)) !== String(outwards)) throw new Error(`slices came as ${order.slice(0, 5)}`);
    if (round === 0) continue;
    first.push(untilFirst);
    all.push((performance.now() - begun) / 1000);
  }
  const what = `first of ${SIZE.join("x")} voxels' slices, from slice ${FIRST} outwards, ${PROMPTS.length} prompts`;
  report.figure(compare(what, "s", first, { name: "all slices", samples: all }));
}
