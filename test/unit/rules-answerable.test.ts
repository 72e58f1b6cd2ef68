import { describe, expect, test } from "vitest";
import type { ModelCard } from "#models/index.ts";
import { InvalidPromptError, ModelNotFoundError } from "#server/domain/index.ts";
import { parseRulesFile } from "#server/routing/index.ts";
import { checkAnswerable } from "../../server/routing/answerable.ts";
import { routedModels } from "../fixtures/routed-models.ts";
import { densityCard } from "../fixtures/test-server.ts";

const brain: ModelCard = {
  ...densityCard,
  name: "brain",
  trained: true,
  modalities: ["MR"],
  vocabulary: "closed",
  targets: [
    { name: "hippocampus", synonyms: [] },
    { name: "thalamus", synonyms: [] },
  ],
};
const both = routedModels(densityCard, brain);
const routed = ["CT", "MR", "PT"];
const mr = { tag: "Modality", equals: "MR" };

function check(when: unknown, ask: unknown, models = both) {
  const [rule] = parseRulesFile(JSON.stringify({ id: "r", when, ask }));
  if (!rule) throw new Error("no rule");
  return checkAnswerable(rule, models, routed);
}

async function refusalOf(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("a rule that some model answers, of some modality that it may be for, is taken without a word", async () => {
  expect(await check(mr, { prompts: ["hippocampus"] })).toEqual([]);
  expect(await check(mr, { prompts: ["hippocampus"], model: "brain" })).toEqual([]);
  // Whatever the modality: of MR it can be answered.
  expect(await check({ tag: "SliceCount", min: 20 }, { prompts: ["thalamus"], model: "brain" })).toEqual([]);
  expect(await check(mr, { recognise: true })).toEqual([]);
});

test("an unknown model is refused with the names of those that there are", async () => {
  const refusal = await refusalOf(check(mr, { prompts: ["hippocampus"], model: "brian" }));
  expect(refusal).toBeInstanceOf(ModelNotFoundError);
  expect(refusal).toMatchObject({
    message: expect.stringContaining("Installed: density-ct, brain"),
    details: { models: ["density-ct", "brain"] },
  });
});

test("prompts that no model, or not the one that is named, can answer are refused with what can be asked", async () => {
  for (const model of [undefined, "brain"]) {
    const refusal = await refusalOf(check(mr, { prompts: ["liver"], ...(model && { model }) }));
    expect(refusal, model).toBeInstanceOf(InvalidPromptError);
    expect(refusal).toMatchObject({ details: { suggestions: ["hippocampus", "thalamus"] } });
  }
});

test.each([
  ["names it", { tag: "Modality", equals: "CT" }],
  [
    "names it among other things",
    {
      all: [
        { tag: "Modality", equals: ["CT", "PT"] },
        { tag: "KVP", exists: true },
      ],
    },
  ],
  ["leaves out the others", { not: { any: [mr] } }],
])("a model that reads no image of the rule's modalities is refused where the rule %s", async (_how, when) => {
  const refusal = await refusalOf(check(when, { prompts: ["hippocampus"], model: "brain" }));
  expect(refusal).toBeInstanceOf(ModelNotFoundError);
  expect((refusal as Error).message).toContain("brain reads MR");
});

describe("what is doubtful is told, and the rule taken", () => {
  test("where no machine has announced a model yet", async () => {
    expect(await check(mr, { prompts: ["x"], model: "of-tomorrow" }, routedModels())).toEqual([
      expect.stringContaining("start a worker"),
    ]);
  });

  test("where it is for no modality that is routed", async () => {
    const warnings = await check({ tag: "Modality", equals: "US" }, { prompts: ["hippocampus"] });
    expect(warnings).toEqual([expect.stringContaining("PARSE3D_ROUTING_MODALITIES: CT, MR, PT")]);
  });

  test("where rules of density have none for the words", async () => {
    const warnings = await check({ tag: "Modality", equals: "CT" }, { prompts: ["skull", "spleen"] });
    expect(warnings).toEqual(["density-ct has no rules for spleen, and would look for nothing."]);
  });
});
