import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import type { Volume } from "#converters/geometry/index.ts";
import { type InstalledBundle, openModelStore } from "#models/index.ts";
import type { SliceResult } from "#server/domain/index.ts";
import { createBundleModel, type EngineModel } from "#server/engines/index.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";

/** HU in which density-ct's words hold (its window tells 16 HU apart); pixels in a slice above which they count at all. */
const rules = { bone: { from: 224, to: 2496 }, lung: { from: -928, to: -400 } } as const;

describeWithData("density-ct on an abdominal CT", () => {
  let folder: string;
  let model: EngineModel;
  let volume: Volume;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-density-"));
    const { densityCt: installed } = await openModelStore(folder).ensureBuiltIn();
    model = createBundleModel(installed as InstalledBundle);
    ({ volume } = await decodeSeries(readSeries("ct_abdomen_crlm1004/dicom")));
  });
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function ask(...texts: string[]): Promise<SliceResult[]> {
    const prompts = texts.map((text) => ({ id: text, text }));
    const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
    const options = { merge: "overlapping", probabilities: false } as const;
    const results: SliceResult[] = [];
    for await (const result of model.segment(volume, prompts, options, run)) results.push(result);
    return results;
  }

  test.each(["bone", "lung"] as const)("%s is every voxel of its HU range, and no other", async (word) => {
    const results = await ask(word);
    const pixels = volume.geometry.size[0] * volume.geometry.size[1];
    const { from, to } = rules[word];
    expect(results.length).toBe(volume.geometry.size[2]);
    for (const { axis, index, mask, existence } of results) {
      expect(axis).toBe(2);
      const slice = volume.voxels.subarray(index * pixels, (index + 1) * pixels);
      const expected = Uint8Array.from(slice, (hu) => Number(hu >= from && hu < to));
      const count = expected.reduce((sum, inside) => sum + inside, 0);
      expect(existence! > 0.5).toBe(count > 16);
      if (count > 16) expect(mask).toEqual(expected);
    }
    expect(results.some(({ mask }) => mask)).toBe(true);
  });

  test("a sentence and its plain word ask for the same; an organ is absent in every slice", async () => {
    const results = await ask("bone", "CT imaging of the skeleton within the abdomen", "left kidney");
    const of = (id: string) => results.filter(({ promptId }) => promptId === id).map(({ mask }) => mask);
    expect(of("CT imaging of the skeleton within the abdomen")).toEqual(of("bone"));
    expect(results.filter(({ promptId, mask }) => promptId === "left kidney" && mask)).toEqual([]);
    expect(Math.max(...results.filter((r) => r.promptId === "left kidney").map((r) => r.existence!))).toBeLessThan(
      0.01,
    );
  });
});
