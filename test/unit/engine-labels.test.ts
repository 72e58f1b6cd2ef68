import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import { fromColumns, type Volume } from "#converters/geometry/index.ts";
import { InvalidPromptError, type SliceResult } from "#server/domain/index.ts";
import { createLabelsModel, type EngineModel } from "#server/engines/index.ts";
import { ask, diceWithLamps } from "../conformance/segmentation-model-suite.ts";
import { writeTinyLabels } from "../fixtures/tiny-labels.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

let folder: string;
let model: EngineModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-labels-"));
  model = createLabelsModel(await writeTinyLabels(join(folder, "tiny")));
});
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function askOf(volume: Volume, text: string, notes: string[] = []): Promise<SliceResult[]> {
  const run = {
    signal: new AbortController().signal,
    progress: () => {},
    note: (text: string) => {
      notes.push(text);
    },
  };
  const options = { merge: "exclusive", probabilities: false } as const;
  const results: SliceResult[] = [];
  for await (const result of model.segment(volume, [{ id: "p1", text }], options, run)) results.push(result);
  return results;
}

test("left and right are the patient's", async () => {
  expect(diceWithLamps(await ask(model, ["left bright"]), "left")).toBeGreaterThan(0.9);
  expect(diceWithLamps(await ask(model, ["bright, right"]), "right")).toBeGreaterThan(0.9);
});

test("by a synonym the same class is found, by a composite all of its classes", async () => {
  const bright = await ask(model, ["bright"]);
  expect(await ask(model, ["the light"])).toEqual(bright);
  const voxels = async (text: string) =>
    (await ask(model, [text])).reduce((sum, { mask }) => sum + mask!.reduce((count, inside) => count + inside, 0), 0);
  expect(await voxels("everything")).toBe((await voxels("bright")) + (await voxels("dim")));
});

test("where probabilities are asked for, a labelled pixel is certain", async () => {
  const results = await ask(model, ["bright"], { merge: "exclusive", probabilities: true });
  for (const { mask, probability } of results) expect(probability).toEqual(mask!.map((inside) => 255 * inside));
});

test("a side of what has none is refused, and the whole of it suggested", async () => {
  const refusal = ask(model, ["left dim"]);
  await expect(refusal).rejects.toBeInstanceOf(InvalidPromptError);
  await expect(refusal).rejects.toMatchObject({ suggestions: ["dim"] });
});

test("words that are no class are refused, with those that are", async () => {
  await expect(ask(model, ["liver"])).rejects.toMatchObject({ suggestions: expect.arrayContaining(["bright", "dim"]) });
});

test("an image too small to hold the organ, and one that does not, are refused; the process goes on", async () => {
  const { geometry } = twoLamps();
  const half = { ...geometry, ijkToLps: fromColumns([0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0, 0, 0]) };
  const small = askOf({ ...twoLamps(), geometry: half }, "bright");
  await expect(small).rejects.toBeInstanceOf(UnsupportedSeriesError);
  await expect(small).rejects.toThrow(/Choose a larger image.*32 x 32 x 20 mm/);

  await ask(model, ["bright"]);
  const { pid } = model.status();
  const speck = twoLamps();
  speck.voxels.fill(0).fill(1000, 50_000, 50_010);
  await expect(askOf(speck, "bright")).rejects.toThrow(/does not find/);
  const blank = twoLamps();
  blank.voxels.fill(0);
  await expect(askOf(blank, "bright")).rejects.toBeInstanceOf(UnsupportedSeriesError);
  expect(diceWithLamps(await ask(model, ["bright"]))).toBeGreaterThan(0.9);
  expect(model.status().pid).toBe(pid);
});

test("voxels that are no numbers are what lies outside the image", async () => {
  const { voxels, ...rest } = twoLamps();
  const holes = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const masked = Float32Array.from(voxels, (value, n) => (value === 0 ? holes[n % 3]! : value));
  const results = await askOf({ ...rest, voxels: masked }, "bright");
  expect(diceWithLamps(results)).toBeGreaterThan(0.9);
  expect(results).toEqual(await askOf(twoLamps(), "bright"));
});

test("how large the organ is at least, the manifest says", async () => {
  const accepts = { minimumExtentMm: 50, noteAboveSpacingMm: 5, refusal: "Choose a larger image." };
  const installed = await writeTinyLabels(join(folder, "large"), { accepts: { ...accepts, minimumVolumeMl: 5000 } });
  await using large = createLabelsModel(installed);
  await expect(ask(large, ["bright"])).rejects.toThrow(/does not find/);
});

test("coarse voxels get a note", async () => {
  const { geometry } = twoLamps();
  const coarse = { ...geometry, ijkToLps: fromColumns([2, 0, 0], [0, 2, 0], [0, 0, 6], [-63, -63, -117]) };
  const notes: string[] = [];
  const size = [64, 64, 20] as const;
  const voxels = twoLamps().voxels.subarray(64 * 64 * 10, 64 * 64 * 30);
  expect(
    (await askOf({ ...twoLamps(), geometry: { ...coarse, size }, voxels }, "bright", notes)).length,
  ).toBeGreaterThan(0);
  expect(notes).toEqual([expect.stringContaining("6.0 mm")]);
});
