import { describe, expect, test } from "vitest";
import { codesForPrompt } from "#converters/dicom/index.ts";
import { recommendedTargets } from "#models/index.ts";

const MODALITIES = ["CT", "MR", "US", "PT", "EM", "LSM"];
const targets = MODALITIES.flatMap((modality) => recommendedTargets(modality).map(({ name }) => name));
const names = [...new Set(targets)];

const ABNORMAL = "49755003";

/** Targets for which neither DICOM's context groups nor TotalSegmentator's table have a code that says as much. */
const GENERAL_CODE: Readonly<Record<string, string>> = {
  "covid-19 infection": "no code for the infection's trace in the lung: infiltrate",
  "cricopharyngeal inlet": "no code: the hypopharynx, which it ends",
  arytenoid: "no code: cartilage in the larynx",
  "left anterior eyeball": "no code for half an eyeball: the eyeball",
  "right anterior eyeball": "no code for half an eyeball: the eyeball",
  "left posterior eyeball": "no code for half an eyeball: the eyeball",
  "right posterior eyeball": "no code for half an eyeball: the eyeball",
  "left cochlea": "no code but the nerve's: the inner ear",
  "right cochlea": "no code but the nerve's: the inner ear",
  "left jugular vein": "codes for the internal and the external vein only: the internal, the larger",
  "right jugular vein": "codes for the internal and the external vein only: the internal, the larger",
  "jugular vein": "codes for the internal and the external vein only: the internal, the larger",
  "vestibular schwannoma intra-meatal": "no code for a schwannoma: a neoplasm in the internal auditory canal",
  "vestibular schwannoma extra-meatal": "no code for a schwannoma: a neoplasm at the nerve",
  "non-enhancing flair hyperintensity": "no code for FLAIR or for enhancement of it: T2 hyperintensity",
  "resection cavity": "no code for what surgery leaves: a lesion",
  "intervertebral disc": "codes for the disc of each level, none for a disc: the spine",
  endolysosomes: "no code for organelles: the cell",
  mitochondria: "no code for organelles: the cell",
  "neuronal ultrastructure": "no code: the cell",
  "synaptic clefts": "no code: the cell",
  axon: "no code: the cell",
  "brain neural activity": "no code for activity: tissue in the brain",
  "alzheimer's plaque": "codes for plaques of vessels only: a lesion in the brain",
};

/** Findings that may lie anywhere, so that the words give no region. */
const ANYWHERE = ["resection cavity", "gtvp tumor", "gtvn tumor"];

test("there are targets for every modality", () => {
  for (const modality of MODALITIES) expect(recommendedTargets(modality).length, modality).toBeGreaterThan(0);
  expect(names.length).toBeGreaterThan(150);
});

describe("every target that the model was trained on", () => {
  test("has a code that says what it is, but for those listed here with the reason", () => {
    const general = names.filter((name) => codesForPrompt(name).confidence !== "exact");
    expect(general.toSorted()).toEqual(Object.keys(GENERAL_CODE).toSorted());
  });

  test("has a code more telling than tissue", () => {
    const untold = names.filter((name) => codesForPrompt(name).type.meaning === "Tissue");
    expect(untold).toEqual(["brain neural activity"]);
  });

  test.each(names.filter((name) => /^(left|right) /.test(name)))("%s has its side", (name) => {
    const { typeModifier, anatomicRegionModifier } = codesForPrompt(name);
    const side = name.startsWith("left ") ? "Left" : "Right";
    // Left ventricle, left atrium and their like have codes of their own.
    if (/^(left|right) (ventricle|atrium|atrial appendage)$/.test(name)) {
      expect(codesForPrompt(name).type.meaning).toMatch(new RegExp(side, "i"));
    } else if (/middle lobe/.test(name)) {
      expect(codesForPrompt(name).type.meaning).toMatch(/right/);
    } else expect((typeModifier ?? anatomicRegionModifier)?.meaning).toBe(side);
  });

  test("that is a finding has a place in the body, but for those that may lie anywhere", () => {
    const findings = names.filter((name) => codesForPrompt(name).category.value === ABNORMAL);
    const placeless = findings.filter((name) => codesForPrompt(name).anatomicRegion === undefined);
    expect(placeless.toSorted()).toEqual(ANYWHERE.toSorted());
    expect(findings.length).toBeGreaterThan(15);
  });
});

test("what a target is called else means the same thing, or a part of it that the code names better", () => {
  const BETTER: Readonly<Record<string, RegExp>> = {
    "portal and splenic vein": /^(portal|splenic) vein$/,
    "lung lesion": /nodule|tumor/,
    "stroke lesion": /^infarct$|ischemic/,
    "prostate lesion": /tumor|cancer/,
    "whole-body lesion": /tumor/,
    "colon cancer primaries": /^colon (cancer|tumor)$/,
    "left common carotid artery": /carotid artery/,
    "right common carotid artery": /carotid artery/,
  };
  const others = MODALITIES.flatMap((modality) => recommendedTargets(modality)).flatMap(({ name, synonyms }) =>
    synonyms
      .filter((synonym) => codesForPrompt(synonym).type.value !== codesForPrompt(name).type.value)
      .filter((synonym) => !BETTER[name]?.test(synonym))
      .map((synonym) => `${name}: ${synonym} (${codesForPrompt(synonym).type.meaning})`),
  );
  expect(others).toEqual([]);
});
