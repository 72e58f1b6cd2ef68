import type { InstalledBundle } from "#models/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { peakMiBOf } from "../peak-memory.ts";
import { noisyCt } from "./small-network.ts";

/** The inference process itself, pictures, words and masks with it, asked about one slice that it has not seen. */
export interface FullProcess extends AsyncDisposable {
  /** From nothing to a process that has answered its golden sample. */
  readonly secondsToReady: number;
  seconds(prompts: number): Promise<number>;
  peakMiB(): number;
}

export async function openFullProcess(bundle: InstalledBundle, threads: number): Promise<FullProcess> {
  const model = createBundleModel(bundle, { executionProvider: "cpu", threads });
  const begun = performance.now();
  await model.warm();
  const secondsToReady = (performance.now() - begun) / 1000;
  const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
  const { imageSize } = bundle.manifest;
  let seed = 0;
  return {
    secondsToReady,
    peakMiB: () => Math.round(peakMiBOf(model.status().pid)),
    async seconds(count) {
      const prompts = Array.from({ length: count }, (_, n) => ({ id: `p${n}`, text: `structure ${n + 1}` }));
      // As MR, which is seen through one window whatever is asked; what was answered is remembered, so each is another.
      const volume = {
        ...noisyCt([imageSize, imageSize, 1], ++seed),
        modality: "MR",
        unit: "arbitrary",
      } as const;
      const begun = performance.now();
      for await (const _ of model.segment(volume, prompts, { merge: "exclusive", probabilities: false }, run));
      return (performance.now() - begun) / 1000;
    },
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}
