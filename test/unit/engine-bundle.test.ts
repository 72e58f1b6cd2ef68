import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromColumns, type Volume } from "#converters/geometry/index.ts";
import { squarePadding, takePlane } from "#converters/pixels/index.ts";
import { type BundleManifest, createClipTokenizer, type InstalledBundle, windowOfBodyPart } from "#models/index.ts";
import {
  InvalidPromptError,
  ModelUnavailableError,
  type SegmentationModel,
  type SegmentOptions,
  type SliceResult,
} from "#server/domain/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { greyLevels } from "../../server/engines/child/grey-levels.ts";
import { wholeImageModel } from "../../server/engines/child/image-model.ts";
import { imageNetwork, type PaddedPrompt, padPrompts } from "../../server/engines/child/image-network.ts";
import { modelVolume } from "../../server/engines/child/model-volume.ts";
import type { OnnxSession, Tensors } from "../../server/engines/child/onnx-runtime.ts";
import { TextEncoder } from "../../server/engines/child/text-encoder.ts";
import { ask, diceWithLamps } from "../conformance/segmentation-model-suite.ts";
import { collect } from "../fixtures/collect.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

let folder: string;
let tiny: InstalledBundle;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-bundle-"));
  tiny = await writeTinyBundle(join(folder, "tiny"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const quiet = { signal: new AbortController().signal, progress: () => {}, note: () => {} };

async function askOf(model: SegmentationModel, volume: Volume, texts = ["bright"]): Promise<SliceResult[]> {
  const prompts = texts.map((text, n) => ({ id: `p${n + 1}`, text }));
  return collect(model.segment(volume, prompts, { merge: "exclusive", probabilities: false }, quiet));
}

let variants = 0;
async function openVariant(changes: Partial<BundleManifest>, sliceBatch = 1) {
  return createBundleModel(await writeTinyBundle(join(folder, `variant-${variants++}`), changes), { sliceBatch });
}

describe("grey levels", () => {
  const rules = () => tiny.manifest;
  const hu = Int16Array.of(-1000, -255, 0, 254, 2000);

  test("HU go through the default window, even where they look like grey levels", () => {
    expect([...greyLevels(hu, { modality: "CT", unit: "HU" }, rules())]).toEqual([0, 0, 127, 254, 255]);
    expect([...greyLevels(Int16Array.of(0, 255), { modality: "CT", unit: "HU" }, rules())]).toEqual([127, 255]);
  });

  test("what is grey levels already is untouched", () => {
    const grey = Uint8Array.of(0, 3, 200);
    expect([...greyLevels(grey, { modality: "CT", unit: "HU" }, rules())]).toEqual([0, 3, 200]);
    expect([...greyLevels(Int16Array.from(grey), { modality: "MR", unit: "arbitrary" }, rules())]).toEqual([0, 3, 200]);
  });

  test("everything else is clipped to its own percentiles", () => {
    const values = Int16Array.from({ length: 1001 }, (_, n) => n);
    const percentiles = { low: 10, high: 90, positiveOnly: false };
    const grey = greyLevels(values, { modality: "MR", unit: "arbitrary" }, { ...rules(), percentiles });
    expect([grey[0], grey[100], grey[500], grey[900], grey[1000]]).toEqual([0, 0, 127, 255, 255]);
  });
});

describe("what is no number is background", () => {
  const { NaN: nan, POSITIVE_INFINITY: up, NEGATIVE_INFINITY: down } = Number;

  test("in HU, in percentiles, and beside what is grey levels already", () => {
    const rules = { ...tiny.manifest, percentiles: { low: 0, high: 100, positiveOnly: false } };
    const ct = { modality: "CT", unit: "HU" } as const;
    const mr = { modality: "MR", unit: "arbitrary" } as const;
    expect([...greyLevels(Float32Array.of(nan, up, down, 0, 2000), ct, rules)]).toEqual([0, 0, 0, 127, 255]);
    expect([...greyLevels(Float64Array.of(nan, up, down, 0, 500, 1000), mr, rules)]).toEqual([0, 0, 0, 0, 127, 255]);
    expect([...greyLevels(Float32Array.of(nan, up, down, 3, 200), mr, rules)]).toEqual([0, 0, 0, 3, 200]);
  });

  test("in a masked image is found what would be with zeros around it", async () => {
    await using model = await openVariant({ percentiles: { low: 0, high: 100, positiveOnly: true } });
    const { voxels, ...rest } = twoLamps();
    const masked = { ...rest, voxels: Float32Array.from(voxels, (value) => (value === 0 ? nan : value)) };
    expect(await askOf(model, masked)).toEqual(await askOf(model, { ...rest, voxels: Float32Array.from(voxels) }));
  });
});

describe("a CT is seen through the window of each prompt's target", () => {
  const target = (name: string, window?: string) => ({ name, synonyms: [], ...(window !== undefined && { window }) });
  /** 128 is 0 HU by default; in "dense", 600. */
  const windows = { presets: { wide: { width: 510, level: 0 }, dense: { width: 510, level: 600 } }, default: "wide" };
  const overlapping = { merge: "overlapping", probabilities: true } as const;
  const onCt = { modality: "CT" };

  test("where its target names one, else through the default", async () => {
    await using plain = await openVariant({ windows });
    await using dense = await openVariant({ windows, targets: [target("bright", "dense"), target("dark")] });
    expect(diceWithLamps(await ask(plain, ["bright"], overlapping, onCt))).toBeLessThan(0.5);
    expect(diceWithLamps(await ask(dense, ["Bright"], overlapping, onCt))).toBeGreaterThan(0.75);
    const voxels = async (model: SegmentationModel, text: string) =>
      countOf(await ask(model, [text], overlapping, onCt));
    expect(await voxels(dense, "dark")).toBe(await voxels(plain, "dark"));
  });

  test("prompts of several windows are answered in one question as each by itself, whatever was asked before", async () => {
    await using model = await openVariant({ windows, targets: [target("bright", "dense"), target("dark")] }, 7);
    const both = await ask(model, ["bright", "dark", "bright light"], overlapping, onCt);
    const alone = async (text: string, id: string) =>
      (await ask(model, [text], overlapping, onCt)).map((result) => ({ ...result, promptId: id }));
    const byId = (id: string) => both.filter(({ promptId }) => promptId === id);
    expect(byId("p1")).toEqual(await alone("bright", "p1"));
    expect(byId("p2")).toEqual(await alone("dark", "p2"));
    expect(countOf(byId("p3"))).toBeGreaterThan(2 * countOf(byId("p1")));
  });

  test("the result says which prompts were seen through which window, where it is not the usual one for all", async () => {
    await using model = await openVariant({ windows, targets: [target("bright", "dense"), target("dark")] });
    const notesOf = async (texts: readonly string[], modality: string) => {
      const notes: string[] = [];
      await ask(model, texts, overlapping, { modality, note: (text) => notes.push(text) });
      return notes;
    };
    expect(await notesOf(["bright", "dark"], "CT")).toEqual([
      'CT windows (width/level): dense (510/600 HU) for "bright"; wide (510/0 HU) for "dark".',
    ]);
    expect(await notesOf(["dark"], "CT")).toEqual([]);
    expect(await notesOf(["bright", "dark"], "MR")).toEqual([]);
  });

  test("words that name no target are seen through the body part's window, where the model has it", async () => {
    const presets = { wide: windows.presets.wide, bone: windows.presets.dense };
    await using model = await openVariant({ windows: { presets, default: "wide" }, targets: [target("dark", "wide")] });
    const voxels = async (text: string, bodyPart?: string) =>
      countOf(await ask(model, [text], { ...overlapping, ...(bodyPart && { bodyPart }) }, onCt));
    expect(await voxels("bright", "L-SPINE")).toBeLessThan(await voxels("bright"));
    expect(await voxels("bright", "HEAD")).toBe(await voxels("bright"));
    expect(await voxels("dark", "L-SPINE")).toBe(await voxels("dark"));
  });

  test.each([
    ["HEAD", "brain"],
    ["LUNG", "lung"],
    ["CSPINE", "bone"],
    ["Knee", "bone"],
    ["HEADNECK", undefined],
    ["CHEST", undefined],
    ["CHESTABDPELVIS", undefined],
    ["ABDOMEN", undefined],
    [undefined, undefined],
  ])("the window of body part %s is %s", (part, window) => {
    expect(windowOfBodyPart(part)).toBe(window);
  });

  test("exclusive masks never share a voxel, across windows too", async () => {
    await using model = await openVariant({ windows, targets: [target("bright", "wide"), target("dark", "dense")] });
    const shared = async (merge: "exclusive" | "overlapping") => {
      const results = await ask(model, ["bright", "dark"], { merge, probabilities: false }, onCt);
      const planes = Map.groupBy(results, ({ index }) => index);
      return [...planes.values()].some(([first, second]) =>
        first?.mask?.some((inside, p) => inside && second?.mask?.[p]),
      );
    };
    expect(await shared("overlapping")).toBe(true);
    expect(await shared("exclusive")).toBe(false);
  });

  test("but what is grey levels already has no windows", async () => {
    await using model = await openVariant({ windows, targets: [target("bright", "dense"), target("dark")] });
    const grey = { ...twoLamps(), modality: "CT", voxels: Uint8Array.from(twoLamps().voxels, (value) => value / 4) };
    const results = await askOf(model, grey, ["bright", "dark"]);
    expect(diceWithLamps(results.filter(({ promptId }) => promptId === "p1"))).toBeGreaterThan(0.72);
  });

  test("a target's window is one of the presets", async () => {
    await expect(openVariant({ targets: [target("bright", "bone")] })).rejects.toThrow(/window/);
  });
});

describe("a closed vocabulary", () => {
  const targets = [{ name: "bright", synonyms: ["lamp"] }];

  test("knows its targets, by each of their names, and nothing else", async () => {
    await using model = await openVariant({ vocabulary: "closed", targets });
    const bright = await ask(model, ["bright"]);
    expect(diceWithLamps(bright)).toBeGreaterThan(0.72);
    expect(await ask(model, ["Lamps"])).toEqual(bright);
    const refusal = ask(model, ["dark"]);
    await expect(refusal).rejects.toBeInstanceOf(InvalidPromptError);
    await expect(refusal).rejects.toMatchObject({ suggestions: ["bright"] });
    await expect(ask(model, ["left bright"])).rejects.toMatchObject({ suggestions: ["bright"] });
  });
});

describe("the way through a volume", () => {
  const header = { key: "", size: [4, 5, 6], modality: "MR", unit: "arbitrary", voxelType: "Uint8Array" } as const;
  const voxels = Uint8Array.from({ length: 120 }, (_, n) => 128 + n);
  const sagittal = fromColumns([0, 1, 0], [0, 0, -1], [-1, 0, 0], [30, -20, 10]);

  test.each(["any", "LPS", "RAS", "LAS", "SPR", "IRP"])(
    "slices turned to %s, put back, are the volume's own planes",
    (orientation) => {
      const imageSize = 6;
      const manifest = { ...tiny.manifest, orientation, imageSize } as BundleManifest;
      const size = [4, 5, 6] as const;
      const volume = modelVolume(voxels, { ...header, size: [...size], ijkToLps: sagittal }, manifest);
      const [width, height] = volume.plane;
      const { left, top, side } = squarePadding(volume.plane);
      expect(side).toBe(imageSize);
      const picture = new Float32Array(3 * imageSize * imageSize);
      const seen = new Set<number>();
      for (let slice = 0; slice < volume.input.planes; slice++) {
        volume.input.writeChannels(slice, picture, 0);
        const turned = Uint8Array.from(
          { length: width * height },
          (_, p) => picture[(top + Math.floor(p / width)) * imageSize + left + (p % width)]!,
        );
        const { axis, index } = volume.standing(slice);
        expect(volume.restore(slice, turned)).toEqual(takePlane(voxels, size, axis, index));
        seen.add(index);
      }
      expect(seen.size).toBe(size[volume.standing(0).axis]);
    },
  );

  test("axial slices stand on the axis that runs from feet to head, whichever it is", () => {
    const manifest = { ...tiny.manifest, sliceAxis: "axial" } as BundleManifest;
    const standing = (ijkToLps: typeof sagittal) =>
      modelVolume(voxels, { ...header, size: [4, 5, 6], ijkToLps }, manifest).standing(0).axis;
    expect(standing(sagittal)).toBe(1);
    expect(standing(fromColumns([1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]))).toBe(2);
    expect(standing(fromColumns([0, 0.2, 1], [0, 1, -0.2], [1, 0, 0], [0, 0, 0]))).toBe(0);
  });
});

describe("a bundle of another manifest finds the same", () => {
  test.each<[string, Partial<BundleManifest>]>([
    ["turned to RAS", { orientation: "RAS" }],
    ["turned so that slices are sagittal", { orientation: "PSL", sliceAxis: "upstream" }],
    ["resampled to cubes of 1.5 mm", { resampleMm: 1.5 }],
    ["resampled and turned", { resampleMm: 3, orientation: "RAI" }],
    ["fed with floats", { input: { dtype: "float32" } }],
    ["with isolated prompts", { padding: "isolate" }],
  ])("%s", async (_, changes) => {
    await using model = await openVariant(changes);
    const results = await ask(model, ["bright"]);
    expect(diceWithLamps(results)).toBeGreaterThan(0.72);
    expect(new Set(results.map(({ axis, index }) => `${axis} ${index}`)).size).toBe(results.length);
  });

  test("in batches of slices as one by one", async () => {
    await using single = await openVariant({});
    await using batched = await openVariant({}, 7);
    expect(await ask(batched, ["bright", "dark"])).toEqual(await ask(single, ["bright", "dark"]));
  });

  test("left stays left, upside stays up, in whatever order the volume is stored", async () => {
    await using model = await openVariant({ orientation: "LPS" });
    const { geometry, voxels } = twoLamps();
    const marked = voxels.map((value, n) => (n % 64 >= 40 && n % 64 < 52 ? value : Math.min(value, 400)));
    const results: SliceResult[] = [];
    const mirrored: Volume = {
      ...twoLamps(),
      geometry: { ...geometry, ijkToLps: fromColumns([-2, 0, 0], [0, 2, 0], [0, 0, 2], [63, -63, -39]) },
      voxels: marked.map((_, n) => marked[n - (n % 64) + 63 - (n % 64)]!),
    };
    const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
    const options = { merge: "exclusive", probabilities: false } as const;
    for await (const result of model.segment(mirrored, [{ id: "p1", text: "bright" }], options, run))
      results.push(result);
    const flipped = results.map((result) => ({ ...result, ...(result.mask && { mask: mirrorRows(result.mask, 64) }) }));
    expect(diceWithLamps(flipped, "left")).toBeGreaterThan(0.72);
  });
});

describe("prompts", () => {
  test("one of more tokens than the network reads is refused, or cut with a note, as the manifest says", async () => {
    const overlong = "b r i g h t ".repeat(24).trim();
    await using strict = await openVariant({ overlongPrompts: "refuse" });
    await expect(ask(strict, [overlong])).rejects.toBeInstanceOf(InvalidPromptError);
    expect(diceWithLamps(await ask(strict, ["bright"]))).toBeGreaterThan(0.72);

    const notes: string[] = [];
    await using lenient = await openVariant({ overlongPrompts: "cut" });
    await ask(lenient, [overlong], undefined, { note: (text) => notes.push(text) });
    expect(notes).toEqual([expect.stringContaining("cut to the 77 tokens")]);
  });

  test("shorter prompts see zero tokens beside longer ones, or only prompts of their own length, as padding says", async () => {
    const prompts = [3, 5, 3].map((tokens) => ({ tokens, values: new Float32Array(tokens * 2).fill(1) }));
    const existence = async (padding: BundleManifest["padding"]) => [
      ...(await answerOf(lengthSession(), padPrompts(prompts, { padding }), 2)).existence,
    ];
    expect(await existence("zeros-unmasked")).toEqual([53, 55, 53, 53, 55, 53]);
    expect(await existence("isolate")).toEqual([33, 55, 33, 33, 55, 33]);
  });

  test("the text graph runs once for each text", async () => {
    let runs = 0;
    const session: OnnxSession = {
      run: async () => ({ token_embeddings: { data: new Float32Array(77 * 2).fill(++runs) } }) as unknown as Tensors,
      release: async () => {},
    };
    const text = new TextEncoder(session, createClipTokenizer(), { contextLength: 77, hiddenDim: 2 });
    const first = await text.embed("left kidney");
    expect(first).toEqual({ tokens: 4, values: new Float32Array(8).fill(1) });
    expect(await text.embed("left kidney")).toBe(first);
    expect((await text.embed("right kidney")).values[0]).toBe(2);
  });

  /** existence = 10 x tokens in the run + tokens of the prompt itself that are not zero. */
  function lengthSession(): OnnxSession {
    return {
      run: async (inputs) => {
        const { dims, data } = inputs.text_tokens!;
        const [length, prompts, features] = dims as [number, number, number];
        const values = data as Float32Array;
        const own = (p: number) =>
          Array.from({ length }, (_, t) => values[(t * prompts + p) * features]!).filter((value) => value !== 0).length;
        const one = Array.from({ length: prompts }, (_, p) => 10 * length + own(p));
        return {
          mask_logits: { data: new Float32Array(2 * prompts * 64) },
          existence_logits: { data: Float32Array.from([...one, ...one]) },
        } as unknown as Tensors;
      },
      release: async () => {},
    };
  }
});

describe("thresholds of a question", () => {
  test("take the place of the model's own: of the mask, and of existence", async () => {
    await using model = await openVariant({});
    const found = async (options: Partial<SegmentOptions>) =>
      countOf(await ask(model, ["bright"], { merge: "overlapping", probabilities: false, ...options }));
    const usual = await found({});
    expect(await found({ maskThreshold: 0.5, existenceThreshold: 0.5 })).toBe(usual);
    expect(await found({ maskThreshold: 0.99 })).toBeLessThan(usual);
    expect(await found({ maskThreshold: 0.01 })).toBeGreaterThan(usual);
    expect(await found({ existenceThreshold: 1 })).toBe(0);
  });

  test("a threshold asked afterwards is met as if it had been asked first", async () => {
    await using fresh = await openVariant({});
    await using used = await openVariant({});
    const options = { merge: "exclusive", probabilities: true, maskThreshold: 0.9 } as const;
    await ask(used, ["dark", "bright"]);
    expect(await ask(used, ["bright", "dark"], options)).toEqual(await ask(fresh, ["bright", "dark"], options));
  });
});

describe("from a slice outwards", () => {
  test.each([1, 3])("the same planes come, nearest first, in batches of %i", async (sliceBatch) => {
    await using model = await openVariant({}, sliceBatch);
    const inOrder = await ask(model, ["bright"]);
    const outwards = await ask(model, ["bright"], { merge: "overlapping", probabilities: false, firstSlice: 9 });
    const indices = outwards.map(({ index }) => index);
    expect(Math.abs(indices[0]! - 9)).toBeLessThan(sliceBatch);
    if (sliceBatch === 1) expect(indices.slice(0, 6)).toEqual([9, 10, 8, 11, 7, 12]);
    expect(outwards.toSorted((a, b) => a.index - b.index)).toEqual(inOrder);
  });

  test("a volume that is turned for the model begins at the same slice", async () => {
    await using model = await openVariant({ orientation: "LPI" });
    const outwards = await ask(model, ["bright"], { merge: "overlapping", probabilities: false, firstSlice: 9 });
    expect(outwards[0]!.index).toBe(9);
    expect(new Set(outwards.slice(0, 5).map(({ index }) => index))).toEqual(new Set([7, 8, 9, 10, 11]));
  });

  test("a resampled volume answers all the same", async () => {
    await using model = await openVariant({ resampleMm: 3 });
    const inOrder = await ask(model, ["bright"]);
    const outwards = { merge: "overlapping", probabilities: false, firstSlice: 9 } as const;
    expect(await ask(model, ["bright"], outwards)).toEqual(inOrder);
  });
});

test("a network that sees no edges is asked for instances in vain, and answers all the same", async () => {
  await using model = await openVariant({});
  const options = { merge: "overlapping", probabilities: false, instances: true } as const;
  expect(await ask(model, ["bright"], options)).toEqual(await ask(model, ["bright"]));
});

describe("several draws", () => {
  test("of a model that does not sample are one, and a note says so", async () => {
    await using model = await openVariant({});
    const notes: string[] = [];
    const options = { merge: "overlapping", probabilities: false, draws: 3 } as const;
    const drawn = await ask(model, ["bright"], options, { note: (text) => notes.push(text) });
    expect(drawn).toEqual(await ask(model, ["bright"]));
    expect(notes).toEqual([expect.stringContaining("does not sample")]);
  });

  test("of a bundle with one noise built in are refused, and what to do is said", async () => {
    await using model = await openVariant({ sampling: { mode: "frozen", seed: 0 } });
    const refusal = ask(model, ["bright"], { merge: "overlapping", probabilities: false, draws: 2 });
    await expect(refusal).rejects.toThrow(/one noise only.*models add/);
    await expect(refusal).rejects.toMatchObject({ retryable: false });
  });
});

describe("a bundle that cannot be trusted is not run", () => {
  test("one that does not answer its golden sample", async () => {
    const { golden } = tiny.manifest;
    await using model = await openVariant({ golden: { ...golden, existenceLogits: [15, 15] } });
    const refusal = ask(model, ["bright"]);
    await expect(refusal).rejects.toBeInstanceOf(ModelUnavailableError);
    await expect(refusal).rejects.toThrow(/golden sample.*off by 1\.00/);
    await expect(refusal).rejects.toMatchObject({ retryable: false });
  });

  test("one whose tokenizer is another", async () => {
    const { golden } = tiny.manifest;
    const inputIds = golden.inputIds.map((ids) => ids.map((id, n) => (n === 1 ? id + 1 : id)));
    await using model = await openVariant({ golden: { ...golden, inputIds } });
    await expect(ask(model, ["bright"])).rejects.toThrow(/golden sample.*other tokens/);
  });

  test("one whose graph was damaged after it was installed", async () => {
    const installed = await writeTinyBundle(join(folder, "damaged"));
    await writeFile(join(installed.folder, "image_model.onnx"), "no graph");
    await using model = createBundleModel(installed);
    const refusal = ask(model, ["bright"]);
    await expect(refusal).rejects.toBeInstanceOf(ModelUnavailableError);
    await expect(refusal).rejects.toMatchObject({ retryable: false });
  });

  test("one whose weights answer with numbers that are none", async () => {
    const prompts = [{ embedding: { tokens: 1, values: new Float32Array(2) }, paddedTo: 1 }];
    await expect(answerOf(constantSession(Number.NaN), prompts, 1)).rejects.toMatchObject({
      name: "ModelUnavailableError",
      retryable: false,
    });
    await expect(answerOf(constantSession(0, Number.NaN), prompts, 1)).rejects.toMatchObject({ retryable: false });
  });

  test("one whose graph gives another shape than its manifest says", async () => {
    await using model = await openVariant({ maskStride: 2 });
    const refusal = ask(model, ["bright"]);
    await expect(refusal).rejects.toThrow(/does not have the shape/);
    await expect(refusal).rejects.toMatchObject({ retryable: false });
  });

  function constantSession(existence: number, mask = 0): OnnxSession {
    return {
      run: async () =>
        ({
          mask_logits: { data: new Float32Array(64).fill(mask) },
          existence_logits: { data: Float32Array.of(existence) },
        }) as unknown as Tensors,
      release: async () => {},
    };
  }
});

async function answerOf(session: OnnxSession, prompts: readonly PaddedPrompt[], slices: number) {
  const view = await wholeImageModel(session, tiny.manifest).look(new Float32Array(slices * 3 * 32 * 32), slices, 1);
  return (await imageNetwork(prompts, tiny.manifest).answer(view, slices))[0]!;
}

function countOf(results: readonly SliceResult[]): number {
  return results.reduce((sum, { mask }) => sum + (mask?.reduce((count, inside) => count + inside, 0) ?? 0), 0);
}

function mirrorRows(mask: Uint8Array, width: number): Uint8Array {
  return mask.map((_, p) => mask[p - (p % width) + width - 1 - (p % width)]!);
}
