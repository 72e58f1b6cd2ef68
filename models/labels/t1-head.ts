import type { LabelsManifest } from "./manifest.ts";

/** What every network here of T1 heads asks of an image, and the grid that it is put on. */
export const WHOLE_T1_HEAD = {
  modalities: ["MR"],
  accepts: {
    minimumExtentMm: 100,
    // A newborn's brain has 300 mL.
    minimumVolumeMl: 200,
    noteAboveSpacingMm: 2,
    refusal:
      "This network knows T1-weighted MR of a whole head only. Choose a T1 series that covers the head, " +
      "or another model for this series.",
  },
  conform: { orientation: "LIA", spacingMm: [1, 1, 1], size: [256, 256, 256], outside: 0 },
  normalise: { rule: "min-max", to: [0, 1] },
} as const satisfies Partial<LabelsManifest>;
