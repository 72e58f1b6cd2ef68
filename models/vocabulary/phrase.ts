import { recommendedTargets } from "./recommended-targets.ts";
import type { RecommendedTarget } from "./target-group.ts";

/** A part of the body as it stands after "within the", and before the name of an examination. */
interface Place {
  readonly within: string;
  readonly before: string;
}

const place = (within: string, before = within): Place => ({ within, before });
const pelvis = place("pelvis");

/** Where a region's targets lie; regions that are no place in the body (vessels, lesions of any organ) are not here. */
const PLACE_OF_REGION: ReadonlyMap<string, Place> = new Map([
  ["thorax", place("thorax")],
  ["abdomen and pelvis", place("abdomen")],
  ["colon segments", place("abdomen")],
  ["genitourinary", pelvis],
  ["heart", place("heart", "cardiac")],
  ["head and neck", place("head and neck")],
  ["neck", place("neck")],
  ["neuro", place("head", "brain")],
  ["glioma", place("brain")],
  ["white matter", place("brain")],
  ["calf", place("calf")],
  ["cell", place("cell")],
  ["brain", place("brain")],
]);

/** Targets that lie elsewhere than most of their region. */
const PLACE_OF_TARGET: ReadonlyMap<string, Place> = new Map([
  ["urinary bladder", pelvis],
  ["prostate", pelvis],
  ["uterus", pelvis],
  ["rectum", pelvis],
  ["gtvp tumor", place("head and neck")],
  ["gtvn tumor", place("head and neck")],
]);

/** What an image is called in a sentence, by DICOM's Modality. */
const IMAGES: ReadonlyMap<string, string> = new Map([
  ["MR", "MRI"],
  ["US", "ultrasound"],
  ["PT", "PET"],
  ["EM", "electron microscopy"],
  ["LSM", "light-sheet microscopy"],
]);

/**
 * The sentence that stands for a recommended target, in the style that MedImageParse 3D saw in training: "CT imaging of the
 * spleen within the abdomen", "gallbladder in abdomen MRI". Only these two are upstream's own words; the others are made
 * in their manner, and no sentence was ever measured.
 *
 * @returns undefined where the modality has no target of that name
 */
export function phraseOf(name: string, modality: string): string | undefined {
  const known = phrases.get(modality) ?? phrasesIn(modality);
  phrases.set(modality, known);
  return known.get(name);
}

const phrases = new Map<string, ReadonlyMap<string, string>>();

function phrasesIn(modality: string): ReadonlyMap<string, string> {
  return new Map(recommendedTargets(modality).map((target) => [target.name, sentence(target, modality)]));
}

function sentence({ name, region }: RecommendedTarget, modality: string): string {
  const where = PLACE_OF_TARGET.get(name) ?? PLACE_OF_REGION.get(region);
  if (modality === "CT") return `CT imaging of the ${name}${where ? ` within the ${where.within}` : ""}`;
  return `${name} in ${where ? `${where.before} ` : ""}${IMAGES.get(modality) ?? modality}`;
}
