import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { InstalledBundle } from "#models/index.ts";
import { createBundleModel, createModelRegistry } from "#server/engines/index.ts";
import { ask, diceWithLamps } from "../conformance/segmentation-model-suite.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-reload-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a model that is replaced in the middle of an answer finishes it; what comes next goes to the new one", async () => {
  const first = await writeTinyBundle(join(folder, "first"));
  const second = await writeTinyBundle(join(folder, "second"), { version: "2.0.0" });
  let installed: readonly InstalledBundle[] = [first];
  await using registry = createModelRegistry({ installed: async () => installed });
  const query = { modality: "MR", prompts: [{ id: "p1", text: "bright" }] };
  const old = await registry.choose(query);
  let replaced: Promise<unknown> | undefined;
  const results = await ask(old, ["bright"], undefined, {
    onResult: () => {
      installed = [second];
      replaced ??= registry.cards();
    },
  });
  await replaced;
  expect(diceWithLamps(results)).toBeGreaterThan(0.75);
  const next = await registry.choose(query);
  expect(next.card.version).toBe("2.0.0");
  expect(diceWithLamps(await ask(next, ["bright"]))).toBeGreaterThan(0.75);
  // The old one is closed by now, and says so.
  await expect(ask(old, ["bright"])).rejects.toMatchObject({ code: "model-unavailable", retryable: true });
});

test("a question that waited while its model's folder was replaced is not answered by another model", async () => {
  const model = createBundleModel(await writeTinyBundle(join(folder, "same")));
  await writeTinyBundle(join(folder, "same"), { version: "2.0.0" });
  await using _ = model;
  await expect(ask(model, ["bright"])).rejects.toMatchObject({
    retryable: true,
    message: expect.stringMatching(/replaced/),
  });
});
