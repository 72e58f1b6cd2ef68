import type { InstalledBundle } from "../bundle.ts";
import type { BundleManifest } from "../contract.ts";
import { ModelBundleError } from "../errors.ts";
import { goldenImage } from "../golden-sample.ts";
import { askNetwork, type NetworkAnswer } from "./ask-network.ts";
import type { GraphRunner } from "./graph-runner.ts";
import { type FileTensor, openTensorFile, type TensorFile } from "./tensor-file.ts";
import { openFile } from "./weights/byte-source.ts";

/** Largest differences between what a bundle's graphs answer and what is known. */
export interface Agreement {
  readonly maxAbsDiff: {
    readonly mask_logits: number;
    /** Absent where the known answer has no edges. */
    readonly edge_logits?: number;
    readonly existence_logits: number;
  };
}

/** The seed whose noise the golden data were made with. */
const GOLDEN_SEED = 0;

/**
 * Runs a bundle on a file of golden data: `image` (uint8), `input_ids` and `attention_mask` (int64), one slice at a time, and
 * compares with `mask_logits`, `edge_logits` and `existence_logits`: the whole image model, and its two halves.
 *
 * @throws ModelBundleError where the file and the bundle are of different networks
 */
export async function verifyBundle(bundle: InstalledBundle, goldenFile: string, run: GraphRunner): Promise<Agreement> {
  const { manifest } = bundle;
  if (manifest.sampling.mode === "frozen" && manifest.sampling.seed !== GOLDEN_SEED)
    throw new ModelBundleError(
      "manifest.json",
      `has the noise of seed ${manifest.sampling.seed}; golden data need a bundle that is built with seed ${GOLDEN_SEED}.`,
    );
  await using source = await openFile(goldenFile);
  const file = await openTensorFile(source);
  const promptIds = await readPromptIds(file);
  const known = {
    maskLogits: (await file.read("mask_logits", "F32")).values,
    edgeLogits: (await file.read("edge_logits", "F32")).values,
    existenceLogits: (await file.read("existence_logits", "F32")).values,
  };
  const image = await file.read("image", "U8");
  const { imageSize } = manifest;
  if (image.shape.length !== 4 || String(image.shape.slice(1)) !== String([3, imageSize, imageSize]))
    throw new ModelBundleError(source.name, `has images of another size than the bundle's ${imageSize} pixels.`);

  const slices = image.shape[0] ?? 0;
  const worst = { mask_logits: 0, edge_logits: 0, existence_logits: 0 };
  for (let slice = 0; slice < slices; slice++) {
    const pixels = Float32Array.from(part(image.values, slice, slices));
    for (const halves of waysOf(manifest)) {
      const answer = await askNetwork(bundle.folder, manifest, promptIds, pixels, run, halves);
      const differenceOf = (kind: keyof NetworkAnswer) =>
        largestDifference(answer[kind], part(known[kind], slice, slices));
      worst.mask_logits = Math.max(worst.mask_logits, differenceOf("maskLogits"));
      worst.edge_logits = Math.max(worst.edge_logits, differenceOf("edgeLogits"));
      worst.existence_logits = Math.max(worst.existence_logits, differenceOf("existenceLogits"));
    }
  }
  return { maxAbsDiff: worst };
}

/** The whole image model, and its two halves where they are there. */
function waysOf(manifest: BundleManifest): readonly (Parameters<typeof askNetwork>[5] | undefined)[] {
  return manifest.files.promptDecoder ? [undefined, manifest] : [undefined];
}

/** Runs a bundle on its own golden sample. */
export async function verifyOwnSample({ folder, manifest }: InstalledBundle, run: GraphRunner): Promise<Agreement> {
  const { golden, imageSize, maskStride } = manifest;
  const side = imageSize / maskStride;
  const places = golden.maskLogits.map(({ prompt, row, column }) => (prompt * side + row) * side + column);
  const worst = { mask_logits: 0, existence_logits: 0 };
  for (const halves of waysOf(manifest)) {
    const answer = await askNetwork(folder, manifest, golden.inputIds, goldenImage(manifest), run, halves);
    const picked = places.map((place) => answer.maskLogits[place] ?? Number.NaN);
    const known = golden.maskLogits.map(({ logit }) => logit);
    worst.mask_logits = Math.max(worst.mask_logits, largestDifference(picked, known));
    worst.existence_logits = Math.max(
      worst.existence_logits,
      largestDifference(answer.existenceLogits, golden.existenceLogits),
    );
  }
  return { maxAbsDiff: worst };
}

/** Rows of token ids, each up to where its mask ends. */
async function readPromptIds(file: TensorFile): Promise<readonly (readonly number[])[]> {
  const ids = await file.read("input_ids", "I64");
  const mask = await file.read("attention_mask", "I64");
  const rows = ids.shape[0] ?? 0;
  const lengthOf = (row: FileTensor<"I64">["values"]) => row.reduce((sum, bit) => sum + Number(bit), 0);
  return Array.from({ length: rows }, (_, row) =>
    Array.from(part(ids.values, row, rows).subarray(0, lengthOf(part(mask.values, row, rows))), Number),
  );
}

/** The n-th of `count` equal parts. */
function part<T extends Float32Array | Uint8Array | BigInt64Array>(values: T, n: number, count: number): T {
  const length = values.length / count;
  return values.subarray(n * length, (n + 1) * length) as T;
}

/** NaN where one of them is, or where they are not equally many. */
function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN;
  let largest = 0;
  for (let n = 0; n < expected.length; n++) largest = Math.max(largest, Math.abs(actual[n]! - expected[n]!));
  return largest;
}
