import type { CodedConcept } from "#converters/dicom/index.ts";

/** The one window: 4080 HU wide over 255 steps, so that a grey level is 16 HU and level 0 starts at -1024 HU. */
export const DENSITY_WINDOW = { width: 4080, level: 1016 } as const;
export const HU_PER_LEVEL = DENSITY_WINDOW.width / 255;
export const LOWEST_HU = DENSITY_WINDOW.level - DENSITY_WINDOW.width / 2;

/** A material that shows by its density, and the words that ask for it. */
export interface DensityRule {
  readonly name: string;
  readonly synonyms: readonly string[];
  /** HU from `from` (included) to `to` (excluded); absent: no limit. Multiples of 16: what 8 bits of the window can tell. */
  readonly hu: { readonly from?: number; readonly to?: number };
  readonly code?: CodedConcept;
}

const sct = (value: string, meaning: string): CodedConcept => ({ value, scheme: "SCT", meaning });

/**
 * What each word means in HU. Bone from 224 is the usual threshold for adult skull in CT (226); 128 is where calcium
 * scoring starts (130). Ranges overlap where materials do: bone is also "contrast-filled or calcified".
 */
export const DENSITY_RULES: readonly DensityRule[] = [
  {
    name: "bone",
    synonyms: ["bones", "bony", "skull", "cranium", "skeleton", "skeletal", "osseous", "cortical bone", "bone tissue"],
    hu: { from: 224, to: 2496 },
    code: sct("272673000", "Bone"),
  },
  {
    name: "lung",
    synonyms: ["lungs", "pulmonary", "lung tissue", "lung parenchyma", "pulmonary parenchyma"],
    hu: { from: -928, to: -400 },
    code: sct("39607008", "Lung"),
  },
  { name: "air", synonyms: ["gas"], hu: { to: -928 }, code: sct("15158005", "Air") },
  {
    name: "fat",
    synonyms: ["fatty", "fatty tissue", "fat tissue", "adipose", "adipose tissue"],
    hu: { from: -144, to: -32 },
    code: sct("55603005", "Fat"),
  },
  {
    name: "soft tissue",
    synonyms: ["soft tissues"],
    hu: { from: -32, to: 128 },
    code: sct("87784001", "Soft tissue"),
  },
  {
    name: "contrast-filled or calcified",
    synonyms: [
      "contrast",
      "contrast filled",
      "contrast media",
      "contrast medium",
      "contrast agent",
      "contrast enhancement",
      "calcified",
      "calcification",
      "calcifications",
      "calcium",
    ],
    hu: { from: 128, to: 2496 },
  },
  {
    name: "metal",
    synonyms: ["metallic", "metal implant", "metal implants", "metallic implant", "metallic implants"],
    hu: { from: 2496 },
  },
  { name: "body", synonyms: ["whole body", "patient"], hu: { from: -400 } },
];

/** Words that a sentence around the target may use: they change nothing. "left", "no" and organs are not among them. */
export const NEUTRAL_WORDS: readonly string[] = [
  ..."a an the all any of in on at within inside this that".split(" "),
  ..."ct scan scans image images imaging slice volume visualization show segment find please me".split(" "),
  ..."abdomen abdominal chest thorax thoracic head neck pelvis pelvic".split(" "),
];

/** Changes nothing either, inside the name of a target too: "contrast-filled". */
export const NEUTRAL_MARKS: readonly string[] = ". , : ; ? ! - ( ) '".split(" ");

/** Pixels of a slice (of 512 x 512) at which a material is as likely there as not. */
export const EXISTENCE_PIXELS = 16;
/** Existence logit where not one pixel fits, negative; its opposite where all do. */
export const EXISTENCE_LOGIT_LIMIT = 12;
/** Mask logits rise by this much for each grey level into the range. */
export const MASK_LOGIT_SLOPE = 2;
export const MASK_LOGIT_LIMIT = 8;

/** Lowest and highest grey level of a rule, both included. */
export function levelsOf({ hu }: DensityRule): { readonly lowest: number; readonly highest: number } {
  const level = (value: number) => (value - LOWEST_HU) / HU_PER_LEVEL;
  return {
    lowest: hu.from === undefined ? 0 : level(hu.from),
    highest: hu.to === undefined ? 255 : level(hu.to) - 1,
  };
}

/** Mask logit of a grey level; what the image graph computes. Undefined `rule`: a prompt that is no rule's. */
export function maskLogit(grey: number, rule: DensityRule | undefined): number {
  if (rule === undefined) return -MASK_LOGIT_LIMIT;
  const { lowest, highest } = levelsOf(rule);
  const depth = Math.min(grey - (lowest - 0.5), highest + 0.5 - grey);
  return Math.max(-MASK_LOGIT_LIMIT, Math.min(MASK_LOGIT_LIMIT, MASK_LOGIT_SLOPE * depth));
}

/** Existence logit of a slice in which `pixels` pixels lie in the range; what the image graph computes. */
export function existenceLogit(pixels: number): number {
  return (EXISTENCE_LOGIT_LIMIT * (pixels - EXISTENCE_PIXELS)) / (pixels + EXISTENCE_PIXELS);
}
