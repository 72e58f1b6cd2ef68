import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createClipTokenizer, type InstalledBundle } from "#models/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { compare, type Report } from "../figure.ts";
import { interleave } from "../interleave.ts";
import { peakMiBOf } from "../peak-memory.ts";
import type { BareLoopSample } from "./bare-loop-process.ts";
import { noisyCt } from "./small-network.ts";

const PROMPTS = ["liver", "heart", "brain", "lung", "kidney", "stomach", "skull", "bone"];
const THREADS = 2;
const ROUNDS = 2;

/** The inference process beside onnxruntime-node alone, on as many slices and prompts: what all of ours costs on top. */
export async function bareLoop(report: Report, bundle: InstalledBundle, slices: number): Promise<void> {
  const { folder, manifest } = bundle;
  const size = manifest.imageSize;
  report.note(`the inference process beside a bare loop: ${manifest.name}, ${slices} slices of ${size}x${size} ...`);
  const tokenizer = createClipTokenizer({ contextLength: manifest.contextLength });
  const tokens = tokenizer.countTokens(PROMPTS[0]!);
  if (PROMPTS.some((text) => tokenizer.countTokens(text) !== tokens)) throw new Error("prompts of unequal length");
  const parameters = [folder, String(slices), String(PROMPTS.length), String(tokens), String(THREADS)];
  const bare = async (): Promise<BareLoopSample> => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, "bare-loop-process.ts"),
      ...parameters,
    ]);
    return JSON.parse(stdout);
  };
  const samples = await interleave<"ours" | "bare", BareLoopSample>(ROUNDS, {
    ours: () => secondPass(bundle, [size, size, slices]),
    bare,
  });
  const what = `${manifest.name}, ${slices} slices, ${PROMPTS.length} prompts, warm`;
  for (const [unit, value] of [
    ["s", ({ seconds }: BareLoopSample) => seconds],
    ["peak MiB", ({ peakMiB }: BareLoopSample) => peakMiB],
  ] as const) {
    report.figure(
      compare(what, unit, samples.ours.map(value), { name: "bare onnxruntime-node", samples: samples.bare.map(value) }),
    );
  }
}

/** As MR, which is seen through one window whatever is asked; two volumes, for what was answered is remembered. */
async function secondPass(bundle: InstalledBundle, size: readonly [number, number, number]): Promise<BareLoopSample> {
  await using model = createBundleModel(bundle, { executionProvider: "cpu", threads: THREADS });
  const prompts = PROMPTS.map((text, n) => ({ id: `p${n}`, text }));
  const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
  let seconds = Number.NaN;
  for (const seed of [1, 2]) {
    const volume = { ...noisyCt(size, seed), modality: "MR", unit: "arbitrary" } as const;
    const begun = performance.now();
    for await (const _ of model.segment(volume, prompts, { merge: "exclusive", probabilities: false }, run));
    seconds = (performance.now() - begun) / 1000;
  }
  return { seconds, peakMiB: peakMiBOf(model.status().pid) };
}
