import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type InstalledModel, KNOWN_MODELS, type ModelCard } from "#models/index.ts";
import { InvalidPromptError, ModelNotFoundError } from "#server/domain/index.ts";
import { createModelRegistry } from "#server/engines/index.ts";

const card = (changes: Partial<ModelCard>): ModelCard => ({
  name: "rules",
  version: "1.0.0",
  sha256: "0".repeat(64),
  engine: "bundle",
  title: "t",
  description: "d",
  trained: false,
  algorithmFamily: "density-rules",
  modalities: ["CT"],
  licence: "MIT",
  nonCommercial: false,
  vocabulary: "open",
  targets: [],
  intendedUse: "Tests.",
  ...changes,
});
const target = (name: string) => ({ name, synonyms: [] });

/** Choosing reads cards only: nothing is loaded. */
const installed = (changes: Partial<ModelCard>): InstalledModel =>
  ({ engine: "bundle", card: card(changes), folder: "/nowhere", manifest: {} }) as InstalledModel;

const rules = installed({ name: "rules" });
const parser = installed({ name: "parser", modalities: ["CT", "MR"], trained: true });
const brain = installed({
  name: "brain-t1",
  modalities: ["MR"],
  trained: true,
  vocabulary: "closed",
  targets: [target("hippocampus"), target("thalamus")],
});

const prompts = (...texts: string[]) => texts.map((text, n) => ({ id: `p${n + 1}`, text }));
async function chosen(models: readonly InstalledModel[], modality: string, texts: readonly string[], name?: string) {
  await using registry = createModelRegistry({ installed: async () => models });
  return (await registry.choose({ modality, prompts: prompts(...texts), ...(name !== undefined && { name }) })).card
    .name;
}

describe("which model answers", () => {
  test("a closed vocabulary that knows every prompt, before an open one", async () => {
    expect(await chosen([parser, brain], "MR", ["left hippocampus", "thalami"])).toBe("brain-t1");
  });

  describe("of two that know the prompts", () => {
    const measured = (name: string, dice: Record<string, number>, reference = "an atlas") =>
      installed({ ...brain.card, name, figures: [{ reference, dice }] });

    test("the one that agrees better with the same reference on what is asked", async () => {
      const large = measured("a", { hippocampus: 0.6, thalamus: 0.9 });
      const small = measured("b", { hippocampus: 0.7, thalamus: 0.7 });
      expect(await chosen([large, small], "MR", ["hippocampus"])).toBe("b");
      expect(await chosen([large, small], "MR", ["left thalamus"])).toBe("a");
      expect(await chosen([large, small], "MR", ["hippocampus", "thalamus"])).toBe("a");
    });

    test("by all that both were measured on, where what is asked was not", async () => {
      const [worse, better] = [measured("a", { hippocampus: 0.6 }), measured("b", { hippocampus: 0.7 })];
      expect(await chosen([worse, better], "MR", ["thalamus"])).toBe("b");
    });

    test("not by a reference that one of them saw in training", async () => {
      const pupil = installed({
        ...brain.card,
        name: "b",
        figures: [{ reference: "an atlas", seenInTraining: true, dice: { hippocampus: 0.9 } }],
      });
      expect(await chosen([measured("a", { hippocampus: 0.6 }), pupil], "MR", ["hippocampus"])).toBe("a");
    });

    test("MeshNet, before the built-in network that learnt from it", async () => {
      const [meshNet] = KNOWN_MODELS;
      const { figures } = JSON.parse(await readFile("models/brain-t1/provenance.json", "utf8"));
      const own = installed({ ...brain.card, name: "brain-t1-unet", figures });
      const teacher = installed({ ...brain.card, figures: meshNet?.figures ?? [] });
      expect(await chosen([own, teacher], "MR", ["hippocampus"])).toBe("brain-t1");
    });

    test("the first, where they have no reference in common, however large the numbers", async () => {
      const [one, other] = [measured("a", { hippocampus: 0.1 }), measured("b", { hippocampus: 0.9 }, "another atlas")];
      expect(await chosen([one, other], "MR", ["hippocampus"])).toBe("a");
      expect(await chosen([brain, other], "MR", ["hippocampus"])).toBe("brain-t1");
    });
  });

  test("the open one, where the closed one does not know them all", async () => {
    expect(await chosen([parser, brain], "MR", ["hippocampus", "liver"])).toBe("parser");
  });

  test("a trained network, before rules", async () => {
    expect(await chosen([rules, parser], "CT", ["bone"])).toBe("parser");
    expect(await chosen([rules], "CT", ["bone"])).toBe("rules");
  });

  test("one on this machine, before its like on another", async () => {
    const azure = installed({ name: "azure", engine: "azure-ml", trained: true });
    const served = installed({ name: "served", engine: "open-inference", trained: true });
    expect(await chosen([azure, served, parser], "CT", ["liver"])).toBe("parser");
    expect(await chosen([rules, azure], "CT", ["liver"])).toBe("azure");
    expect(await chosen([azure, served, parser], "CT", ["liver"], "served")).toBe("served");
  });

  test("the one that was named, whatever else there is", async () => {
    expect(await chosen([rules, parser], "CT", ["bone"], "rules")).toBe("rules");
  });
});

describe("where none can answer", () => {
  test("the error lists what can be asked", async () => {
    const refusal = chosen([rules, brain], "MR", ["hippocampus", "liver"]);
    await expect(refusal).rejects.toBeInstanceOf(InvalidPromptError);
    await expect(refusal).rejects.toMatchObject({ suggestions: ["hippocampus", "thalamus"] });
  });

  test("the error says which model could be installed, and how", async () => {
    const refusal = chosen([rules], "MR", ["hippocampus"]);
    await expect(refusal).rejects.toBeInstanceOf(ModelNotFoundError);
    await expect(refusal).rejects.toThrow("bin/parse3d models pull brain-t1");
    await expect(chosen([rules], "MR", ["hippocampus"], "brain-t1")).rejects.toThrow("models pull brain-t1");
    await expect(chosen([rules], "US", ["heart"])).rejects.not.toThrow("models pull");
  });

  test.each(KNOWN_MODELS.map(({ name }) => name))(
    "a model that is known but not installed, like %s, can be",
    async (name) => {
      await expect(chosen([rules], "MR", ["hippocampus"], name)).rejects.toThrow(`bin/parse3d models pull ${name}`);
    },
  );

  test("where a model of the kind is installed, no other is offered", async () => {
    await expect(chosen([rules, brain], "MR", ["liver"])).rejects.not.toThrow("models pull");
  });

  test("a name that is not there is not found, and the error names those that are", async () => {
    const refusal = chosen([rules, brain], "MR", ["hippocampus"], "nothing");
    await expect(refusal).rejects.toBeInstanceOf(ModelNotFoundError);
    await expect(refusal).rejects.toThrow("rules, brain-t1");
  });
});

test("nothing is loaded before it is asked", async () => {
  const registry = createModelRegistry({ installed: async () => [rules, brain] });
  expect((await registry.cards()).map(({ name }) => name)).toEqual(["rules", "brain-t1"]);
  expect(registry.status()).toEqual([
    { model: "rules", state: "unloaded" },
    { model: "brain-t1", state: "unloaded" },
  ]);
});

test("a model that is added, replaced or removed is seen by the next choice, without a restart", async () => {
  let models: readonly InstalledModel[] = [rules];
  await using registry = createModelRegistry({ installed: async () => models });
  const hippocampus = { modality: "MR", prompts: prompts("hippocampus") };
  await expect(registry.choose(hippocampus)).rejects.toBeInstanceOf(ModelNotFoundError);

  models = [rules, brain];
  const first = await registry.choose(hippocampus);
  expect(await registry.choose(hippocampus)).toBe(first);

  const newer = { ...brain, card: card({ ...brain.card, sha256: "1".repeat(64), version: "2.0.0" }) };
  models = [rules, newer as InstalledModel];
  expect((await registry.choose(hippocampus)).card.version).toBe("2.0.0");

  models = [rules];
  await expect(registry.choose(hippocampus)).rejects.toBeInstanceOf(ModelNotFoundError);
});
