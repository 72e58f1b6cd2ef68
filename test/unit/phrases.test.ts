import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createClipTokenizer, type ModelCard, recommendedTargets, sentPhrase } from "#models/index.ts";
import { phraseOf } from "#models/vocabulary/phrase.ts";

const MODALITIES = ["CT", "MR", "US", "PT", "EM", "LSM"];
const all = MODALITIES.flatMap((modality) => recommendedTargets(modality).map((target) => ({ modality, target })));
const everything = fc.constantFrom(...all);
const tokenizer = createClipTokenizer();

type Asked = Pick<ModelCard, "phrasing" | "vocabulary" | "targets">;
const inSentences: Asked = { phrasing: "sentence", vocabulary: "open", targets: [] };
const sent = (text: string, modality: string, model = inSentences) => sentPhrase(text, modality, model);

describe("the sentence of a recommended target", () => {
  test.each([
    ["spleen", "CT", "CT imaging of the spleen within the abdomen"],
    ["gallbladder", "MR", "gallbladder in abdomen MRI"],
  ])("%s in %s is upstream's own", (name, modality, phrase) => {
    expect(phraseOf(name, modality)).toBe(phrase);
  });

  test.each([
    ["left lung upper lobe", "CT", "CT imaging of the left lung upper lobe within the thorax"],
    ["prostate", "CT", "CT imaging of the prostate within the pelvis"],
    ["brainstem", "CT", "CT imaging of the brainstem within the head"],
    ["brain tumor", "MR", "brain tumor in brain MRI"],
    ["left ventricle", "MR", "left ventricle in cardiac MRI"],
    ["soleus", "US", "soleus in calf ultrasound"],
    ["mitochondria", "EM", "mitochondria in cell electron microscopy"],
    ["vessel", "LSM", "vessel in brain light-sheet microscopy"],
  ])("%s in %s has the place of its region in it", (name, modality, phrase) => {
    expect(phraseOf(name, modality)).toBe(phrase);
  });

  test("of a region that is no place in the body names none", () => {
    const placeless = new Set(["oncology and pathology", "vessels", "spine and musculoskeletal", "whole body"]);
    for (const { modality, target } of all) {
      const phrase = phraseOf(target.name, modality)!;
      const rest = phrase.replace(target.name, "").replace(/^CT imaging of the | in /, "");
      if (placeless.has(target.region)) expect(rest).toMatch(/^(MRI|PET)?$/);
      else
        expect(rest, phrase).toMatch(
          /^( within the (\w+ ?)+|(\w+ )+(MRI|ultrasound|electron microscopy|light-sheet microscopy))$/,
        );
    }
  });

  test("is one for each target of each modality: 77 tokens at most, with the target's words in it, like no other's", () => {
    for (const modality of MODALITIES) {
      const targets = recommendedTargets(modality);
      const phrases = targets.map(({ name }) => phraseOf(name, modality) ?? "");
      expect(new Set(phrases).size, modality).toBe(targets.length);
      for (const [n, { name }] of targets.entries()) {
        expect(` ${phrases[n]} `).toContain(` ${name} `);
        expect(tokenizer.countTokens(phrases[n]!)).toBeLessThanOrEqual(77);
        expect(tokenizer.countTokens(phrases[n]!)).toBeGreaterThan(tokenizer.countTokens(name));
      }
    }
  });

  test("is none where the modality has no such target", () => {
    expect(phraseOf("gallbladder", "PT")).toBeUndefined();
    expect(phraseOf("gallbladder", "XA")).toBeUndefined();
    expect(phraseOf("unicorn", "CT")).toBeUndefined();
  });
});

describe("a model that is asked in sentences gets a target's sentence", () => {
  test("for its name and each synonym, however they are cased and spaced, and for its plural", () => {
    const spelled = everything.chain(({ modality, target }) =>
      fc.record({
        modality: fc.constant(modality),
        name: fc.constant(target.name),
        words: fc.constantFrom(target.name, ...target.synonyms),
        upper: fc.boolean(),
        space: fc.constantFrom(" ", "  ", " \t"),
      }),
    );
    fc.assert(
      fc.property(spelled, ({ modality, name, words, upper, space }) => {
        const typed = ` ${(upper ? words.toUpperCase() : words).replaceAll(" ", space)} `;
        expect(sent(typed, modality)).toBe(phraseOf(name, modality));
      }),
      { numRuns: 2000 },
    );
    expect(sent("Show me both lungs, please", "CT")).toBe(phraseOf("lung", "CT"));
    expect(sent("livers", "MR")).toBe("liver in abdomen MRI");
  });

  test("with its side, wherever that stands", () => {
    expect(sent("Kidney, left", "CT")).toBe(phraseOf("left kidney", "CT"));
    expect(sent("R adrenal", "CT")).toBe(phraseOf("right adrenal gland", "CT"));
    expect(sent("left carotid artery", "MR")).toBe(phraseOf("left carotid artery", "MR"));
  });

  test("and the words as typed where a side would be lost, or one would be made up", () => {
    expect(sent("left liver", "CT")).toBeUndefined();
    expect(sent("left carotid artery", "US")).toBeUndefined();
    expect(sent("kidney", "CT")).toBeUndefined();
    expect(sent("both kidneys", "CT")).toBeUndefined();
    for (const { modality, target } of all) {
      const other = target.name.replace(/^(left|right) /, (side) => (side === "left " ? "right " : "left "));
      const phrase = sent(other, modality);
      if (other !== target.name) expect(phrase).not.toBe(phraseOf(target.name, modality));
    }
  });

  test.each([
    ["no target", "unicorn"],
    ["more than a target", "liver tumor with necrosis"],
    ["the opposite", "everything without the liver"],
    ["a near spelling", "splean"],
    ["a sentence already", "CT imaging of the spleen within the abdomen"],
    ["two targets at once", "T1 white matter hyperintensity"],
    ["nothing", "  "],
  ])("and the words as typed where they are %s", (_, words) => {
    for (const modality of ["CT", "MR"]) expect(sent(words, modality)).toBeUndefined();
  });

  test("of the image's own modality only, and only of those that the model is recommended for", () => {
    expect(sent("colon", "CT")).toBe("CT imaging of the colon within the abdomen");
    expect(sent("colon", "MR")).toBe("colon in abdomen MRI");
    expect(sent("colon", "US")).toBeUndefined();
    const some = { ...inSentences, targets: [{ name: "spleen", synonyms: [] }] };
    expect(sent("spleen", "CT", some)).toBe(phraseOf("spleen", "CT"));
    expect(sent("colon", "CT", some)).toBeUndefined();
  });

  test("of a closed vocabulary by what the model calls it", () => {
    const targets = [{ name: "spleen", synonyms: ["milt"] }];
    expect(sent("Milt", "CT", { ...inSentences, vocabulary: "closed", targets })).toBe(phraseOf("spleen", "CT"));
  });
});

test("any other model gets all words as typed", () => {
  for (const { modality, target } of all) {
    expect(sent(target.name, modality, { vocabulary: "open", targets: [] })).toBeUndefined();
    expect(sent(target.name, modality, { ...inSentences, phrasing: "as-typed" })).toBeUndefined();
  }
});
