import { appendFile, mkdtemp, readFile, rm, symlink, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BundleManifest, buildDensityCt, ModelBundleError, openBundle } from "../../models/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bundle-"));
  await buildDensityCt(folder);
});
afterEach(() => rm(folder, { recursive: true }));

const manifestPath = () => join(folder, "manifest.json");

async function readManifest(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(manifestPath(), "utf8"));
}

async function changeManifest(change: Record<string, unknown>): Promise<void> {
  await writeFile(manifestPath(), JSON.stringify({ ...(await readManifest()), ...change }));
}

test("a bundle opens with a card that carries the sha256 of its manifest", async () => {
  const { card, manifest } = await openBundle(folder);
  const digest = await crypto.subtle.digest("SHA-256", await readFile(manifestPath()));
  expect(card.sha256).toBe(Buffer.from(digest).toString("hex"));
  expect(card).toMatchObject({ name: "density-ct", engine: "bundle", licence: "MIT", nonCommercial: false });
  expect(BundleManifest.parse(await readManifest())).toEqual(manifest);
});

describe("what a bundle is asked for", () => {
  const targets = [
    { name: "spleen", synonyms: [] },
    { name: "circle of willis", synonyms: [] },
    { name: "bone", synonyms: ["skull"] },
  ];

  test("is the words as typed where its manifest does not say, and nothing else is told of it", async () => {
    const { card } = await openBundle(folder);
    expect(card).not.toHaveProperty("phrasing");
    expect(card.targets.some((target) => "phrases" in target)).toBe(false);
    expect(await readManifest()).not.toHaveProperty("phrasing");
    await changeManifest({ phrasing: "as-typed", targets });
    expect((await openBundle(folder)).card).toMatchObject({ targets });
    expect((await openBundle(folder)).card).not.toHaveProperty("phrasing");
  });

  test("is told with each recommended target where it is a sentence, for each of its modalities", async () => {
    await changeManifest({ phrasing: "sentence", targets, modalities: ["CT", "MR"] });
    const { card } = await openBundle(folder);
    expect(card.phrasing).toBe("sentence");
    expect(card.targets).toEqual([
      {
        ...targets[0],
        phrases: { CT: "CT imaging of the spleen within the abdomen", MR: "spleen in abdomen MRI" },
      },
      {
        ...targets[1],
        phrases: { CT: "CT imaging of the circle of willis within the head", MR: "circle of willis in MRI" },
      },
      targets[2],
    ]);
  });
});

describe("a bundle is refused, with the file's name and what to do,", () => {
  const refused = (file: string, words: RegExp) =>
    expect(openBundle(folder)).rejects.toSatisfy(
      (error) =>
        error instanceof ModelBundleError &&
        error.code === "model-unavailable" &&
        !error.retryable &&
        error.file === file &&
        error.message.startsWith(`${file}: `) &&
        words.test(error.message),
    );

  test("without a manifest", async () => {
    await unlink(manifestPath());
    await refused("manifest.json", /missing.*install the model again/);
  });

  test("without one of its files", async () => {
    await unlink(join(folder, "image_model.onnx"));
    await refused("image_model.onnx", /missing.*install the model again/);
  });

  test("with a file cut short", async () => {
    await truncate(join(folder, "image_model.onnx"), 100);
    await refused("image_model.onnx", /100 bytes long instead of/);
  });

  test("with a file grown", async () => {
    await appendFile(join(folder, "text_encoder.onnx"), "x");
    await refused("text_encoder.onnx", /bytes long instead of/);
  });

  test("with one bit of a file changed", async () => {
    const path = join(folder, "text_encoder.onnx");
    const bytes = await readFile(path);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(path, bytes);
    await refused("text_encoder.onnx", /sha256/);
  });

  test("with a file that is a link to elsewhere", async () => {
    const path = join(folder, "text_encoder.onnx");
    await unlink(path);
    await symlink("/etc/hostname", path);
    await refused("text_encoder.onnx", /not a plain file/);
  });

  test.each(["../secret", "/etc/passwd", "a/b", "..", ".hidden", ""])(
    "whose manifest names the file %j",
    async (name) => {
      const { files } = await readManifest();
      await changeManifest({
        files: { ...(files as object), textEncoder: { name, sha256: "0".repeat(64), bytes: 1 } },
      });
      await refused("manifest.json", /plain file name/);
    },
  );

  test.each([
    ["is not JSON", "{", /not JSON/],
    ["is not UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22]), /not JSON/],
    ["is a list", "[]", /does not meet the bundle contract/],
    ["is null", "null", /does not meet the bundle contract/],
  ])("whose manifest %s", async (_, content, words) => {
    await writeFile(manifestPath(), content);
    await refused("manifest.json", words);
  });

  test("whose manifest is absurdly long", async () => {
    await truncate(manifestPath(), 5 * 2 ** 20);
    await refused("manifest.json", /which no manifest needs/);
  });

  test.each([
    ["schemaVersion", 2],
    ["maskStride", 3],
    ["imageSize", 1e9],
    ["resize", { in: -0.5, out: -0.5 }],
    ["resize", { in: -0.75, out: -0.75 }],
    ["targets", [{ name: "lung", synonyms: [], window: "brain" }]],
    ["phrasing", "poem"],
    ["orientation", "LRS"],
    ["orientation", "lps"],
    ["sliceAxis", "sagittal"],
    ["thresholds", { mask: 1.5, existence: 0.5, nmsIou: 0.5 }],
    ["windows", { presets: {}, default: "density" }],
    ["windows", { presets: { density: { width: 0, level: 40 } }, default: "density" }],
    ["percentiles", { low: 99, high: 1, positiveOnly: true }],
    ["modalities", []],
    ["name", "../density"],
    ["sampling", { mode: "frozen" }],
    ["algorithmFamily", "magic"],
    ["algorithmFamily", "rules"],
  ])("whose %s is %j", async (field, value) => {
    await changeManifest({ [field]: value });
    await refused("manifest.json", new RegExp(field));
  });

  test.each(
    Object.keys(BundleManifest.unwrap().shape).filter(
      (field) =>
        !["attribution", "checkpointSha256", "figures", "nearest", "phrasing", "precision", "resampleMm"].includes(
          field,
        ),
    ),
  )("whose manifest lacks %s", async (field) => {
    const { [field]: _, ...rest } = await readManifest();
    await writeFile(manifestPath(), JSON.stringify(rest));
    await refused("manifest.json", /does not meet the bundle contract/);
  });
});

test("weights beyond 64 MiB are checked by size when a bundle is opened, and by sha256 where that is asked for", async () => {
  const bytes = 65 * 2 ** 20;
  const weights = join(folder, "weights.bin");
  await writeFile(weights, "");
  await truncate(weights, bytes);
  const { files } = await readManifest();
  await changeManifest({
    files: { ...(files as object), weights: [{ name: "weights.bin", sha256: "0".repeat(64), bytes }] },
  });
  expect((await openBundle(folder)).card.name).toBe("density-ct");
  await expect(openBundle(folder, { verify: true })).rejects.toMatchObject({ file: "weights.bin" });
  await truncate(weights, bytes - 1);
  await expect(openBundle(folder)).rejects.toMatchObject({ file: "weights.bin" });
});

test("the golden sample holds one answer for each prompt", async () => {
  const manifest = await readManifest();
  const golden = manifest.golden as { existenceLogits: number[] };
  const short = { ...manifest, golden: { ...golden, existenceLogits: golden.existenceLogits.slice(1) } };
  expect(BundleManifest.safeParse(short).success).toBe(false);
});

test("whatever the manifest holds, the answer is a model or a named error", async () => {
  const manifest = await readManifest();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...Object.keys(manifest)), fc.jsonValue(), async (field, value) => {
      await writeFile(manifestPath(), JSON.stringify({ ...manifest, [field]: value }));
      const outcome = await openBundle(folder).catch((error: unknown) => error);
      expect(outcome instanceof ModelBundleError || (typeof outcome === "object" && "card" in outcome!)).toBe(true);
    }),
    { numRuns: 100 },
  );
});
