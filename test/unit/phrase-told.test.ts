import { expect, test } from "vitest";
import { decodeSeg } from "#converters/dicom/index.ts";
import type { ModelCard } from "#models/index.ts";
import type { SegmentationModel } from "#server/domain/index.ts";
import { createAsking } from "../fixtures/asking.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";

/** Finds what is bright, whatever it is asked. */
function findsAnything(changes: Partial<ModelCard>): SegmentationModel {
  const fake = createFakeModel(changes);
  return {
    card: fake.card,
    segment: (volume, prompts, options, run) =>
      fake.segment(
        volume,
        prompts.map(({ id }) => ({ id, text: "bright" })),
        options,
        run,
      ),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

async function segment(changes: Partial<ModelCard>, texts: readonly string[]) {
  const { ask, stored } = await createAsking();
  const models = registryOf(findsAnything(changes));
  const { findings } = await ask(texts, { merge: "overlapping" }, { models });
  return { findings, seg: decodeSeg(stored[0]!) };
}

test("what a model was asked in place of the words is told, and the words stay the prompt everywhere", async () => {
  const texts = ["Renal cyst, left", "something bright"];
  const { findings, seg } = await segment({ phrasing: "sentence" }, texts);
  const [told, asTyped] = findings.map(({ notes }) => notes.join("\n"));
  expect(told).toContain('The model was asked for "CT imaging of the left kidney cyst".');
  expect(asTyped).not.toContain("was asked for");
  expect(findings.map(({ prompt }) => prompt.text)).toEqual(texts);
  expect(findings[0]!.tracking!.id).toBe(texts[0]);
  expect(seg.segments.map(({ label }) => label)).toEqual(texts);
  expect(JSON.parse(seg.segments[0]!.algorithmParameters!)).toMatchObject({ phrasing: "sentence" });
});

test("of a model that is asked as typed nothing of the kind is told", async () => {
  const { findings, seg } = await segment({}, ["left kidney cyst"]);
  expect(findings[0]!.notes.join()).not.toContain("was asked for");
  expect(seg.segments[0]!.algorithmParameters).not.toContain("phrasing");
});
