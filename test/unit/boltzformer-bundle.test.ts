import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeTokenizer } from "#models/boltzformer/bundle-tokenizer.ts";
import { OFFICIAL_CONFIG } from "#models/boltzformer/network-config.ts";
import { networkTensors } from "#models/boltzformer/network-tensors.ts";
import { placeWeights } from "#models/boltzformer/place-weights.ts";
import { buildBoltzFormer, type GraphRunner, ModelBundleError, openBundle } from "#models/index.ts";
import { writeSparseWeights } from "../fixtures/sparse-weights.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "boltzformer-"));
});
afterEach(() => rm(root, { recursive: true }));

const tiny = {
  ...OFFICIAL_CONFIG,
  embedDim: 8,
  depths: [1, 1, 1, 1],
  hiddenDim: 32,
  ffnDim: 16,
  encoderLayers: 1,
  decoderLayers: 3,
  textLayers: 1,
  textWidth: 16,
  textVocabulary: 300,
  imageSize: 64,
} as const;

/** Answers the golden sample of any network with numbers of its own. */
const standIn: GraphRunner = async (graphFile, inputs) => {
  const { dims = [] } = inputs.input_ids ?? inputs.text_tokens ?? {};
  const { dims: image = [] } = inputs.image ?? {};
  const hidden = graphFile.includes("official") ? OFFICIAL_CONFIG.hiddenDim : tiny.hiddenDim;
  const floats = (...shape: readonly number[]) => {
    const length = shape.reduce((product, n) => product * n, 1);
    return { dtype: "float32", dims: shape, data: new Float32Array(length).fill(0.25) } as const;
  };
  if (graphFile.endsWith("text_encoder.onnx")) return { token_embeddings: floats(...dims, hidden) };
  const side = image[3]! / 4;
  const masks = floats(image[0]!, dims[1]!, side, side);
  return { mask_logits: masks, edge_logits: masks, existence_logits: floats(image[0]!, dims[1]!) };
};

async function build(options: Partial<Parameters<typeof buildBoltzFormer>[0]> = {}) {
  const weights = join(root, "w.safetensors");
  const folder = join(root, "bundle");
  await mkdir(folder);
  await writeSparseWeights(weights, networkTensors(tiny));
  const { imageSize } = tiny;
  const manifest = await buildBoltzFormer({ weights, folder, config: { imageSize }, run: standIn, ...options });
  return { weights, folder, manifest };
}

describe("a bundle", () => {
  test("of the official sizes says what it is, what it may be used for, and what to ask for", async () => {
    const weights = join(root, "official.safetensors");
    const folder = join(root, "official");
    await mkdir(folder);
    await writeSparseWeights(weights, networkTensors(OFFICIAL_CONFIG));
    const stages = new Set<string>();
    await buildBoltzFormer({ weights, folder, run: standIn, onProgress: (stage) => stages.add(stage) });
    const { manifest, card } = await openBundle(folder);
    expect(card).toMatchObject({
      name: "medimageparse3d",
      trained: true,
      licence: "CC-BY-NC-SA-4.0",
      nonCommercial: true,
      vocabulary: "open",
      modalities: ["CT", "MR", "US", "PT", "EM", "LSM"],
    });
    expect(manifest).toMatchObject({
      imageSize: 512,
      hiddenDim: 512,
      maskStride: 4,
      contextLength: 77,
      padding: "zeros-unmasked",
      sampling: { mode: "frozen", seed: 0 },
      windows: { presets: { lung: { width: 1500, level: -160 } }, default: "soft-tissue" },
    });
    const names = card.targets.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["liver", "left kidney", "brain tumor", "mitochondria"]));
    expect(new Set(names).size).toBe(names.length);
    const windows = new Map(
      manifest.engine === "bundle" ? manifest.targets.map(({ name, window }) => [name, window]) : [],
    );
    expect(["lung lesion", "brainstem", "left femur", "liver"].map((name) => windows.get(name))).toEqual([
      "lung",
      "brain",
      "bone",
      "soft-tissue",
    ]);
    expect(windows.get("left ventricle")).toBeUndefined();
    expect([...stages]).toEqual(["hash", "graphs", "golden-sample"]);
  }, 120_000);

  test("is made again byte for byte, and another seed changes the image graph alone", async () => {
    const first = await build();
    await rm(first.folder, { recursive: true });
    const again = await build();
    expect(again.manifest).toEqual(first.manifest);
    await rm(again.folder, { recursive: true });
    const { files, sampling } = (await build({ seed: 7 })).manifest;
    expect(sampling).toEqual({ ...first.manifest.sampling, seed: 7 });
    expect(files.promptDecoder).toEqual(first.manifest.files.promptDecoder);
    expect(files.textEncoder).toEqual(first.manifest.files.textEncoder);
    expect(files.imageModel.sha256).not.toBe(first.manifest.files.imageModel.sha256);
  });

  test("that is asked in sentences says so in its manifest, and differs in nothing else", async () => {
    const { manifest: usual, folder } = await build();
    await rm(folder, { recursive: true });
    const { manifest: asTyped } = await build({ phrasing: "as-typed" });
    expect(asTyped).toEqual(usual);
    expect(usual).not.toHaveProperty("phrasing");
    await rm(folder, { recursive: true });
    const { manifest } = await build({ phrasing: "sentence" });
    expect(manifest).toEqual({ ...usual, phrasing: "sentence" });
    expect((await openBundle(folder)).card.phrasing).toBe("sentence");
  });

  test("of other sizes does not go by the official name, unless one is given", async () => {
    const { manifest, folder } = await build({ name: "trial" });
    expect(manifest).toMatchObject({ name: "trial", trained: false, nonCommercial: true, targets: [] });
    expect(await openBundle(folder, { verify: true })).toMatchObject({ card: { name: "trial" } });
  });

  test("shares its weights with their file: no second copy", async () => {
    const { weights, folder, manifest } = await build();
    const linked = await stat(join(folder, manifest.files.weights[0]!.name));
    expect(linked.ino).toBe((await stat(weights)).ino);
  });

  test("moves its weights only when all is done", async () => {
    const failing: GraphRunner = async () => ({});
    await expect(build({ move: true, run: failing })).rejects.toThrow(ModelBundleError);
    expect((await stat(join(root, "w.safetensors"))).isFile()).toBe(true);
    await rm(join(root, "bundle"), { recursive: true });
    const { weights, folder } = await build({ move: true });
    await expect(stat(weights)).rejects.toThrow(/ENOENT/);
    expect(await openBundle(folder, { verify: true })).toBeDefined();
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    const building = build({ signal: stop.signal, onProgress: () => stop.abort(new Error("enough")) });
    await expect(building).rejects.toThrow();
    await expect(stat(join(root, "bundle", "manifest.json"))).rejects.toThrow(/ENOENT/);
  });
});

describe("weights", () => {
  test("behind a symbolic link are linked themselves", async () => {
    await writeFile(join(root, "blob"), "weights");
    await symlink(join(root, "blob"), join(root, "name"));
    await placeWeights(join(root, "name"), join(root, "placed"), {});
    expect((await stat(join(root, "placed"))).ino).toBe((await stat(join(root, "blob"))).ino);
  });

  const elsewhere = "/dev/shm";
  const otherFileSystem = async () => {
    const [here, there] = await Promise.all([stat(root), stat(elsewhere).catch(() => undefined)]);
    return there !== undefined && there.dev !== here.dev;
  };

  test("on another file system are copied, after their size was told, or not at all", async ({ skip }) => {
    if (!(await otherFileSystem())) skip("there is no other file system");
    const away = await mkdtemp(join(elsewhere, "boltzformer-"));
    const source = join(away, "w");
    await writeFile(source, "weights");
    await chmod(source, 0o444);
    const refuse = () => {
      throw new Error("too large");
    };
    await expect(placeWeights(source, join(root, "refused"), { onCopy: refuse })).rejects.toThrow("too large");
    await expect(stat(join(root, "refused"))).rejects.toThrow(/ENOENT/);
    const told: number[] = [];
    await placeWeights(source, join(root, "copied"), { onCopy: (bytes) => void told.push(bytes) });
    expect(told).toEqual([7]);
    expect(await readFile(join(root, "copied"), "utf8")).toBe("weights");
    await rm(away, { recursive: true });
  });
});

describe("the tokenizer", () => {
  test("is CLIP's own for a network with CLIP's vocabulary", async () => {
    const { tokenizer, file } = await writeTokenizer(root, OFFICIAL_CONFIG, undefined);
    expect(file).toBeUndefined();
    expect(tokenizer.encode("liver")).toEqual([49406, expect.any(Number), 49407]);
  });

  test("of a network with fewer tokens reads bytes, all of which it knows", async () => {
    for (const textVocabulary of [3, 300, 514, 40_000]) {
      const folder = await mkdtemp(join(root, "t-"));
      const { tokenizer } = await writeTokenizer(folder, { ...tiny, textVocabulary }, undefined);
      const ids = tokenizer.encode("Línke Niere 3!");
      expect(Math.max(...ids)).toBe(textVocabulary - 1);
      expect(ids.at(-1)).toBe(textVocabulary - 1);
    }
  });

  test("with tokens that the network does not know is refused", async () => {
    await writeTokenizer(root, { ...tiny, textVocabulary: 514 }, undefined);
    const given = join(root, "tokenizer.json");
    const folder = await mkdtemp(join(root, "t-"));
    await expect(writeTokenizer(folder, { ...tiny, textVocabulary: 513 }, given)).rejects.toThrow(
      /token 513.* knows 513/,
    );
    expect((await writeTokenizer(folder, { ...tiny, textVocabulary: 514 }, given)).file?.name).toBe("tokenizer.json");
  });

  test("that is not JSON is refused", async () => {
    await writeFile(join(root, "t.txt"), "nothing");
    await expect(writeTokenizer(root, tiny, join(root, "t.txt"))).rejects.toThrow(ModelBundleError);
  });
});
