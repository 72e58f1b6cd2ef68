import { describe, expect, test } from "vitest";
import { LabelsManifest, labelTargets } from "../../models/index.ts";
import { BRAIN_T1_CLASSES } from "../../models/labels/brain-t1-classes.ts";

const code = { value: "5366008", scheme: "SCT", meaning: "Hippocampus" };

function manifest(change: Partial<Record<keyof LabelsManifest, unknown>> = {}): unknown {
  return {
    schemaVersion: 1,
    engine: "labels",
    name: "tiny",
    version: "1.2.3",
    title: "Tiny",
    description: "A trained network for tests.",
    intendedUse: "Tests.",
    trained: true,
    algorithmFamily: "artificial-intelligence",
    modalities: ["MR"],
    licence: "MIT",
    nonCommercial: false,
    accepts: { minimumExtentMm: 100, minimumVolumeMl: 200, noteAboveSpacingMm: 2, refusal: "Heads only." },
    conform: { orientation: "LIA", spacingMm: [1, 1, 1], size: [16, 16, 16], outside: 0 },
    normalise: { rule: "min-max", to: [0, 1] },
    crop: { above: 0.2, marginVoxels: 0 },
    graph: { input: { name: "x", dtype: "float32" }, output: { name: "y", dtype: "uint8" } },
    classes: [
      { value: 1, name: "hippocampus", synonyms: [], code, side: "left" },
      { value: 2, name: "hippocampus", synonyms: ["ammon's horn"], code, side: "right" },
      { value: 3, name: "brain stem", synonyms: [], code, side: "midline" },
    ],
    composites: [{ name: "all", synonyms: [], values: [1, 2, 3] }],
    sides: { rule: "labels" },
    opset: 20,
    exporter: { test: "1" },
    files: { graph: { name: "labels.onnx", sha256: "0".repeat(64), bytes: 1 } },
    ...change,
  };
}

describe("targets", () => {
  test("join the labels that differ by side only, and know which is which", () => {
    expect(labelTargets(LabelsManifest.parse(manifest()))).toEqual([
      {
        name: "hippocampus",
        synonyms: ["ammon's horn"],
        code,
        values: [1, 2],
        sides: { rule: "labels", left: [1], right: [2] },
      },
      { name: "brain stem", synonyms: [], code, values: [3], sides: { rule: "none" } },
      { name: "all", synonyms: [], values: [1, 2, 3], sides: { rule: "labels", left: [1], right: [2] } },
    ]);
  });

  test("that lie on both sides in one label are split by the plane, midline ones are not", () => {
    const classes = [
      { value: 1, name: "hippocampus", synonyms: [], code, side: "both" },
      { value: 3, name: "brain stem", synonyms: [], code, side: "midline" },
    ];
    const composites = [{ name: "all", synonyms: [], values: [1, 3] }];
    const split = labelTargets(
      LabelsManifest.parse(manifest({ classes, composites, sides: { rule: "midsagittal", planeFrom: [1] } })),
    );
    expect(split.map(({ sides }) => sides)).toEqual([
      { rule: "midsagittal", paired: [1] },
      { rule: "none" },
      { rule: "midsagittal", paired: [1] },
    ]);
    const unsplit = labelTargets(LabelsManifest.parse(manifest({ classes, composites, sides: { rule: "none" } })));
    expect(unsplit.map(({ sides }) => sides.rule)).toEqual(["none", "none", "none"]);
  });
});

test.each([
  ["a label value that appears twice", { classes: [...BRAIN_T1_CLASSES, BRAIN_T1_CLASSES[0]] }],
  ["a composite of unknown labels", { composites: [{ name: "x", synonyms: [], values: [9] }] }],
  ["a plane from unknown labels", { sides: { rule: "midsagittal", planeFrom: [9] } }],
  [
    "an orientation that names an axis twice",
    { conform: { orientation: "LRA", spacingMm: [1, 1, 1], size: [16, 16, 16], outside: 0 } },
  ],
  [
    "a grid beyond 512",
    { conform: { orientation: "LIA", spacingMm: [1, 1, 1], size: [65535, 65535, 65535], outside: 0 } },
  ],
  ["label 0, which is background", { classes: [{ ...BRAIN_T1_CLASSES[0], value: 0 }], composites: [] }],
  ["a file outside its folder", { files: { graph: { name: "../labels.onnx", sha256: "0".repeat(64), bytes: 1 } } }],
])("a manifest with %s is refused", (_, change) => {
  expect(LabelsManifest.safeParse(manifest()).success).toBe(true);
  expect(LabelsManifest.safeParse(manifest(change)).success).toBe(false);
});
