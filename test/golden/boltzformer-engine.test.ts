import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Volume } from "#converters/geometry/index.ts";
import {
  type BundleManifest,
  buildBoltzFormer,
  type InstalledBundle,
  openBundle,
  parseNetworkConfig,
} from "#models/index.ts";
import type { SegmentationModel, SegmentOptions, SliceResult } from "#server/domain/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { collect } from "../fixtures/collect.ts";
import { runInProcess } from "../fixtures/onnx-runner.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

const goldenPath = (name: string) => dataPath("boltzformer_golden", name);
const plain: SegmentOptions = { merge: "overlapping", probabilities: true, existenceThreshold: 0 };

/** Four slices through the lamps: the small network needs no more to show what it does. */
function someSlices(modality: "CT" | "MR" = "MR"): Volume {
  const { geometry, voxels, ...rest } = twoLamps(modality);
  const pixels = 64 * 64;
  return {
    ...rest,
    geometry: { ...geometry, size: [64, 64, 4] },
    voxels: voxels.slice(18 * pixels, 22 * pixels),
  };
}

function ask(
  model: SegmentationModel,
  texts: readonly string[],
  options: Partial<SegmentOptions> = {},
  { modality = "MR", notes = [] }: { readonly modality?: "CT" | "MR"; readonly notes?: string[] } = {},
) {
  const prompts = texts.map((text) => ({ id: text, text }));
  const note = (text: string) => void notes.push(text);
  const run = { signal: new AbortController().signal, progress: () => {}, note };
  return collect(model.segment(someSlices(modality), prompts, { ...plain, ...options }, run));
}

const of = (results: readonly SliceResult[], id: string) => results.filter(({ promptId }) => promptId === id);

describeWithData("the small network in the engine", () => {
  let root: string;
  let isolating: InstalledBundle;
  const seeded = new Map<number, InstalledBundle>();

  async function build(
    seed: number,
    padding: "isolate" | "zeros-unmasked",
    name = `${padding}-${seed}`,
    changes: Partial<BundleManifest> = {},
  ): Promise<InstalledBundle> {
    const folder = join(root, name);
    await mkdir(folder);
    const { config } = JSON.parse(await readFile(goldenPath("small.json"), "utf8"));
    const weights = goldenPath("small.ckpt");
    const manifest = await buildBoltzFormer({
      weights,
      folder,
      config: parseNetworkConfig(config),
      seed,
      run: runInProcess,
    });
    await writeFile(join(folder, "manifest.json"), JSON.stringify({ ...manifest, padding, ...changes }));
    return (await openBundle(folder)) as InstalledBundle;
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "parse3d-draws-"));
    isolating = await build(0, "isolate");
    for (const seed of [0, 1, 2]) seeded.set(seed, await build(seed, "zeros-unmasked"));
  });
  afterAll(() => rm(root, { recursive: true }));

  test("isolated prompts of any length answer together as each alone, and so does what was asked ahead", async () => {
    const texts = ["liver", "left kidney", "the spleen in the abdomen", "right kidney"];
    await using together = createBundleModel(isolating);
    const results = await ask(together, texts);
    await using ahead = createBundleModel(isolating);
    await ask(ahead, ["liver"], { anticipate: { candidates: texts.slice(1), most: 3 } });
    for (const text of texts) {
      await using alone = createBundleModel(isolating);
      const known = await ask(alone, [text]);
      expect(of(results, text)).toEqual(known);
      expect(await ask(ahead, [text])).toEqual(known);
    }
  });

  test("padded as upstream does, one asked ahead is answered as alone, and beside others as beside others", async () => {
    await using ahead = createBundleModel(seeded.get(0)!);
    await using fresh = createBundleModel(seeded.get(0)!);
    const candidates = ["left kidney", "the spleen in the abdomen"];
    await ask(ahead, ["liver"], { anticipate: { candidates, most: 2 } });
    const alone = await ask(fresh, ["left kidney"]);
    expect(await ask(ahead, ["left kidney"])).toEqual(alone);
    const pair = ["left kidney", "the spleen in the abdomen"];
    const together = await ask(fresh, pair);
    expect(await ask(ahead, pair)).toEqual(together);
    expect(of(together, "left kidney")).not.toEqual(alone);
  });

  test("several draws are the networks of those seeds averaged, with how far they differ; the same each time", async () => {
    await using model = createBundleModel(seeded.get(0)!);
    const drawn = await ask(model, ["liver"], { draws: 3 });
    const singles: SliceResult[][] = [];
    for (const bundle of seeded.values()) {
      await using single = createBundleModel(bundle);
      singles.push(await ask(single, ["liver"]));
    }
    const logit = (probability: number) => Math.log(probability / (1 - probability));
    for (const [n, { existence, probability, index }] of drawn.entries()) {
      const same = singles.map((results) => results.find((result) => result.index === index)!);
      const mean = same.reduce((sum, one) => sum + logit(one.existence!), 0) / 3;
      expect(logit(existence!)).toBeCloseTo(mean, 4);
      const greys = probability!.map((grey, p) =>
        Math.abs(grey - same.reduce((sum, one) => sum + one.probability![p]!, 0) / 3),
      );
      expect(Math.max(...greys)).toBeLessThanOrEqual(1);
      expect(drawn[n]!.disagreement !== undefined).toBe(n === drawn.length - 1);
    }
    const { disagreement } = drawn.at(-1)!;
    expect(disagreement).toBeGreaterThan(0);
    expect(disagreement).toBeLessThan(1);
    expect(await ask(model, ["liver"], { draws: 3 })).toEqual(drawn);
    expect((await ask(model, ["liver"])).some((result) => "disagreement" in result)).toBe(false);
  });

  describe("on CT, where targets have windows", () => {
    const targets = ["lung", "bone", "brain", "soft-tissue"].map((window) => ({
      name: `thing in ${window}`,
      synonyms: [],
      window,
    }));
    const names = targets.map(({ name }) => name);
    let windowed: InstalledBundle;
    beforeAll(async () => {
      windowed = await build(0, "isolate", "windowed", { targets });
    });

    test("prompts of four windows are answered together as each alone", async () => {
      await using together = createBundleModel(windowed);
      const results = await ask(together, names, {}, { modality: "CT" });
      expect(of(results, names[0]!)).not.toEqual(of(results, names[1]!));
      for (const name of names) {
        await using alone = createBundleModel(windowed);
        expect(of(results, name)).toEqual(await ask(alone, [name], {}, { modality: "CT" }));
      }
    });

    test("ahead are answered those that need no other window; the others are said to be left out", async () => {
      await using ahead = createBundleModel(windowed);
      const notes: string[] = [];
      const anticipate = { candidates: [names[1]!, `${names[0]} again`, "what has no window"], most: 1 };
      await ask(ahead, [names[3]!], { anticipate }, { modality: "CT", notes });
      expect(notes).toEqual([
        expect.stringMatching(/^[12] likely target\(s\) were not answered ahead: .*another CT window/),
      ]);
      await ask(ahead, [names[3]!], { anticipate: { ...anticipate, most: 0 } }, { modality: "CT", notes });
      expect(notes).toHaveLength(1);
    });
  });

  test("edges come where they are asked for, and nowhere else", async () => {
    await using model = createBundleModel(seeded.get(0)!);
    expect((await ask(model, ["liver"])).some(({ edges }) => edges)).toBe(false);
    const results = await ask(model, ["liver"], { instances: true });
    expect(results.some(({ edges }) => edges?.includes(1))).toBe(true);
    expect(results.every(({ edges }) => edges === undefined || edges.length === 64 * 64)).toBe(true);
  });
});
