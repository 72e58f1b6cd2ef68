import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { completions, promptAt, replacePromptAt, splitPrompts, unlisted } from "../src/state/prompts.ts";
import { vocabulary } from "./samples.ts";

const names = (typed: string) => completions(typed, vocabulary, 8).map(({ name }) => name);

describe("a line of prompts", () => {
  test("holds what stands between commas, semicolons and line ends, each once", () => {
    expect(splitPrompts(" liver,left   kidney;\nliver, ,")).toEqual(["liver", "left kidney"]);
    expect(splitPrompts(" , ;")).toEqual([]);
  });

  test("joined by commas and split again is the same", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}( [a-z]{1,8})?$/);
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 6 }), (prompts) => {
        expect(splitPrompts(prompts.join(", "))).toEqual(prompts);
      }),
    );
  });

  test("a chosen completion takes the place of the prompt at the caret and of nothing else", () => {
    expect(replacePromptAt("liver, lef, bone", 10, "left kidney")).toBe("liver, left kidney, bone");
    expect(replacePromptAt("lef", 3, "left kidney")).toBe("left kidney");
    expect(promptAt("liver, lef", 10)).toEqual({ start: 6, end: 10 });
    expect(promptAt("liver, lef", 0)).toEqual({ start: 0, end: 5 });
  });
});

describe("completions", () => {
  test("names that begin with what was typed come before names that hold it, and those before synonyms", () => {
    expect(names("kid")).toEqual(["kidney", "left kidney"]);
    expect(names("sku")).toEqual(["bone"]);
    expect(names("L")).toEqual(["liver", "left kidney"]);
    expect(names("zzz")).toEqual([]);
  });

  describe("of what comes in two sides", () => {
    const sided = {
      ...vocabulary,
      targets: [
        ...vocabulary.targets,
        { name: "thalamus", synonyms: ["thalamus proper"], models: ["m"], sided: true as const },
        { name: "caudate", synonyms: ["caudate nucleus"], models: ["m"], sided: true as const },
        { name: "brain stem", synonyms: [], models: ["m"] },
      ],
    };
    const offered = (typed: string) => completions(typed, sided, 8).map(({ name }) => name);

    test("the side may stand in front, whole or begun, and the rest is completed as without it", () => {
      expect(offered("left thal")).toEqual(["left thalamus"]);
      expect(offered("Right t")).toEqual(["right thalamus"]);
      expect(offered("left caudate nuc")).toEqual(["left caudate"]);
      expect(offered("lef")).toEqual(["left kidney", "left thalamus", "left caudate"]);
    });

    test("the whole stands before its sides", () => {
      expect(offered("thal")).toEqual(["thalamus", "left thalamus", "right thalamus"]);
    });

    test("a side that a model knows by itself is offered once", () => {
      const both = { ...sided, targets: [...sided.targets, { name: "Left Thalamus", synonyms: [], models: ["n"] }] };
      expect(completions("left thal", both, 8).map(({ name }) => name)).toEqual(["Left Thalamus"]);
    });

    test("words may be begun in any order", () => {
      expect(offered("thal left")).toEqual(["left thalamus"]);
    });

    test("and of nothing else", () => {
      expect(offered("left brain")).toEqual([]);
      expect(offered("left liv")).toEqual([]);
    });
  });

  test("nothing typed offers the list as the server orders it", () => {
    expect(names(" ")).toEqual(["liver", "left kidney", "kidney", "bone"]);
  });
});

test("a prompt is unlisted where neither a name nor a synonym is it, whatever its case", () => {
  expect(unlisted(["Liver", "SKULL", "left-kidney", "pancreas"], vocabulary)).toEqual(["pancreas"]);
});

test("a side is no other structure: vocabularies name those of two sides once", () => {
  expect(unlisted(["Left liver", "right kidney", "left pancreas", "left"], vocabulary)).toEqual([
    "left pancreas",
    "left",
  ]);
});
