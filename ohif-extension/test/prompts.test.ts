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
