import { describe, expect, test } from "vitest";
import { recommendedTargets, resolveTarget } from "../../models/index.ts";
import { BRAIN_T1_CLASSES, BRAIN_T1_COMPOSITES } from "../../models/labels/brain-t1-classes.ts";

const targets = [...BRAIN_T1_CLASSES, ...BRAIN_T1_COMPOSITES];

/** "name", "left name" or undefined. */
function answer(text: string): string | undefined {
  const found = resolveTarget(text, targets);
  if (found.kind === "unknown") return undefined;
  return found.side === undefined ? found.target.name : `${found.side} ${found.target.name}`;
}

test.each([
  ["left hippocampus", "left hippocampus"],
  ["white matter", "cerebral white matter"],
  ["brain", "brain"],
  ["Hipocampus (R)", "right hippocampus"],
  ["Show me both thalami", "thalamus"],
  ["grey matter", "cerebral cortex"],
  ["GRAY MATTER", "cerebral cortex"],
  ["lateral ventricles", "lateral ventricle"],
  ["lentiform nucleus", "lentiform nucleus"],
  ["basal ganglia", "basal ganglia"],
  ["cerebelum", "cerebellum"],
  ["liver", undefined],
  ["spleen", undefined],
  ["lung nodule", undefined],
  ["left kidney", undefined],
  ["right caudate nucleus", "right caudate"],
  ["brain stem", "brain stem"],
  ["nucleus acumbens", "nucleus accumbens"],
  ["tumor", undefined],
  ["ventral diencephalon", "ventral diencephalon"],
])("%j asks for %j", (text, expected) => {
  expect(answer(text)).toBe(expected);
});

describe("what is asked for", () => {
  test.each([
    ["left and right amygdalae", "amygdala"],
    ["Putamen, L", "left putamen"],
    ["lt. puttamen", "left putamen"],
    ["RH hippocampal formation", "right hippocampus"],
    ["hippo campus", "hippocampus"],
    ["brainstem", "brain stem"],
    ["Cérébellum", "cerebellum"],
    ["segmentation of the patient's left hippocampus", "left hippocampus"],
    ["segment the left hippocampus on T1 MRI", "left hippocampus"],
    ["cerebellar cortices", "cerebellar cortex"],
    ["the whole brain", "brain"],
    ["brain without ventricles", "brain tissue"],
  ])("in %j is %j", (text, expected) => {
    expect(answer(text)).toBe(expected);
  });

  test.each([
    "brain tumor",
    "cortex of the liver",
    "temporal lobe",
    "subthalamus",
    "hypothalamus",
    "posterior horn",
    "ventral striatum",
    "superior lateral ventricle",
    "no hippocampus",
    "everything without the hipocampus",
    "pons",
    "skull",
    "hippocampus and liver",
    "left",
    "",
    "  ",
    "?!",
    "左肾",
    "hippocampus ".repeat(1000),
  ])("in %j is nothing that a near name could stand for", (text) => {
    expect(answer(text)).toBeUndefined();
  });
});

test("every name and synonym is found as itself, with and without a side", () => {
  for (const target of targets)
    for (const spelling of [target.name, ...target.synonyms]) {
      expect(resolveTarget(spelling, targets)).toEqual({ kind: "found", target, score: 1 });
      expect(resolveTarget(`Left ${spelling.toUpperCase()}`, targets)).toEqual({
        kind: "found",
        target,
        score: 1,
        side: "left",
      });
    }
});

test("what is not found comes with the nearest names", () => {
  expect(resolveTarget("hypothalamus", targets)).toMatchObject({
    kind: "unknown",
    suggestions: { 0: "thalamus", length: 5 },
  });
  expect(resolveTarget("anything", [])).toEqual({ kind: "unknown", suggestions: [] });
});

describe("the recommended targets", () => {
  test.each([
    [
      "CT",
      [
        "left kidney",
        "right lung middle lobe",
        "vertebra c1",
        "vertebra s1",
        "vertebra t12",
        "skull",
        "aorta",
        "left iliopsoas",
      ],
    ],
    [
      "MR",
      ["left ventricle", "brain tumor", "resection cavity", "sigmoid colon", "prostate transition zone", "left femur"],
    ],
    ["US", ["soleus", "thyroid"]],
    ["PT", ["whole-body lesion"]],
    ["EM", ["mitochondria"]],
    ["LSM", ["alzheimer's plaque"]],
  ])("of %s hold %j", (modality, names) => {
    expect(recommendedTargets(modality).map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  test("name nothing twice within a modality, and every CT target has its window", () => {
    for (const modality of ["CT", "MR", "US", "PT", "EM", "LSM"]) {
      const spellings = recommendedTargets(modality).flatMap(({ name, synonyms }) => [name, ...synonyms]);
      expect(spellings).toEqual([...new Set(spellings)]);
      expect(spellings.every((spelling) => spelling === spelling.toLowerCase())).toBe(true);
    }
    expect(recommendedTargets("CT").filter(({ window }) => window === undefined)).toEqual([]);
  });

  test.each(["CT", "MR", "US", "PT", "EM", "LSM"])(
    "of %s are found as themselves, by each of their names",
    (modality) => {
      const known = recommendedTargets(modality);
      for (const target of known)
        for (const spelling of [target.name, ...target.synonyms])
          expect(resolveTarget(spelling, known)).toEqual({ kind: "found", target, score: 1 });
    },
  );

  test.each([
    ["CT", "Kidney, left", "left kidney"],
    ["CT", "L kidneys", "left kidney"],
    ["CT", "rt. clavcle", "right clavicle"],
    ["CT", "show me the upper lobe of the left lung", undefined],
    ["CT", "both kidneys", undefined],
    ["CT", "left liver", "left liver"],
    ["CT", "right spleen", "right spleen"],
    ["MR", "White matter hyperintensities (T1)", "white matter hyperintensities t1"],
    ["MR", "left ventricles", "left ventricle"],
    ["MR", "lv", "left ventricle"],
  ])("of %s: %j asks for %j", (modality, text, expected) => {
    const found = resolveTarget(text, recommendedTargets(modality));
    const name = found.kind === "found" ? `${found.side ? `${found.side} ` : ""}${found.target.name}` : undefined;
    expect(name).toBe(expected);
  });

  test("a name comes before another target's synonym", () => {
    const both = [
      { name: "left common carotid artery", synonyms: ["left carotid artery"] },
      { name: "left carotid artery", synonyms: [] },
    ];
    expect(resolveTarget("left carotid artery", both)).toEqual({ kind: "found", target: both[1], score: 1 });
  });

  test("of an unknown modality are none", () => {
    expect(recommendedTargets("XX")).toEqual([]);
  });
});
