import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Volume } from "#converters/geometry/index.ts";
import { type InstalledBundle, type InstalledOpenInference, openBundle } from "#models/index.ts";
import type { SegmentationModel, SliceResult } from "#server/domain/index.ts";
import { createBundleModel, createRemoteModel } from "#server/engines/index.ts";
import { collect } from "../fixtures/collect.ts";
import { writeOpenInferenceModel } from "../fixtures/open-inference-server.ts";
import { dataPath } from "../fixtures/shared-data.ts";
import { describeWithTriton, startTriton, type Triton } from "../fixtures/triton.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

const command = resolve(import.meta.dirname, "../../bin/parse3d");

describeWithTriton("the small golden network on a real Triton server", () => {
  let data: string;
  let bundle: InstalledBundle;
  let triton: Triton;
  let served: InstalledOpenInference;

  const parse3d = (...words: readonly string[]) =>
    promisify(execFile)(command, words, { env: { ...process.env, PARSE3D_DATA_DIR: data } });

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "parse3d-triton-"));
    const [weights, config] = ["small.ckpt", "small.json"].map((file) => dataPath("boltzformer_golden", file));
    await parse3d("models", "add", weights!, "--config", config!, "--accept-licence", "--name", "small");
    bundle = (await openBundle(join(data, "models/small"))) as InstalledBundle;
    triton = await startTriton(bundle);
    await parse3d("models", "connect", "open-inference", triton.url, "--bundle", "small");
    served = (await openBundle(join(data, "models/small-served"))) as InstalledOpenInference;
  }, 300_000);
  afterAll(async () => {
    await triton?.[Symbol.asyncDispose]();
    if (data) await rm(data, { recursive: true, force: true });
  });

  const prompts = ["CT imaging of the spleen within the abdomen", "liver"].map((text, n) => ({ id: `p${n}`, text }));
  const options = { merge: "overlapping", probabilities: true } as const;
  const quiet = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
  const ask = (model: SegmentationModel): Promise<SliceResult[]> =>
    collect(model.segment(aFewSlices(), prompts, options, quiet));

  test("answers as the engine of this machine does, from bytes, by what `models connect` wrote", async () => {
    await using remote = createRemoteModel(served);
    await using local = createBundleModel(bundle);
    const [there, here] = [await ask(remote), await ask(local)];
    expect(remote.status().provider).toMatchObject({ actual: "remote", server: expect.stringMatching(/^triton \d/) });
    expect(there.map(({ promptId, axis, index }) => [promptId, axis, index])).toEqual(
      here.map(({ promptId, axis, index }) => [promptId, axis, index]),
    );
    let masked = 0;
    for (const [n, { existence, mask, probability }] of there.entries()) {
      expect(existence).toBeCloseTo(here[n]!.existence!, 4);
      expect(mask).toEqual(here[n]!.mask);
      const furthest = probability!.reduce(
        (most, grey, p) => Math.max(most, Math.abs(grey - here[n]!.probability![p]!)),
        0,
      );
      expect(furthest).toBeLessThanOrEqual(1);
      if (mask) masked++;
    }
    // Made weights find something or other: equal answers say more than none.
    expect(masked + new Set(there.flatMap(({ probability }) => [...probability!])).size).toBeGreaterThan(10);
  });

  test("names a model that it does not have", async () => {
    const { manifest } = served;
    const missing = { ...manifest.server, imageModel: { name: "another" } };
    await using remote = createRemoteModel(
      await writeOpenInferenceModel(join(data, "missing"), bundle, triton.url, missing),
    );
    await expect(ask(remote)).rejects.toMatchObject({ fault: "model-missing", status: 404 });
  });

  test("names a model of another shape", async () => {
    const { server } = served.manifest;
    const swapped = { ...server, textEncoder: server.imageModel };
    await using remote = createRemoteModel(
      await writeOpenInferenceModel(join(data, "swapped"), bundle, triton.url, swapped),
    );
    await expect(ask(remote)).rejects.toMatchObject({ fault: "wrong-shape" });
  });

  test("gone, is named as well, by a process that had asked it before", async () => {
    await using remote = createRemoteModel(
      await writeOpenInferenceModel(join(data, "gone"), bundle, triton.url, { ...served.manifest.server, attempts: 1 }),
    );
    await ask(remote);
    await triton.kill();
    const failed = collect(
      remote.segment(aFewSlices(), [{ id: "p", text: "a prompt that is new to it" }], options, quiet),
    );
    await expect(failed).rejects.toMatchObject({
      retryable: true,
      fault: expect.stringMatching(/unreachable|cut-off/),
    });
  });
});

/** Five slices across the lamps. */
function aFewSlices(): Volume<Int16Array> {
  const { geometry, voxels, ...rest } = twoLamps();
  const [ni, nj] = geometry.size;
  return { ...rest, geometry: { ...geometry, size: [ni, nj, 5] }, voxels: voxels.slice(10 * ni * nj, 15 * ni * nj) };
}
