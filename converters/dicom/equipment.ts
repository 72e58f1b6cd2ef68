import { concept } from "./code-table.ts";
import type { CodedConcept } from "./coded-concept.ts";
import type { Elements } from "./elements.ts";

/** How this software names itself in what it writes (General Equipment module, PS3.3 section C.7.5.1). */
export const equipment = {
  Manufacturer: "Parse3D",
  ManufacturerModelName: "Parse3D",
  SoftwareVersions: "0.1.0",
} as const;

/** Said in every result, because a file outlives the screen that it was made on. */
export const RESEARCH_USE_ONLY = "Research use only";

/** Contributing Equipment Sequence of the SOP Common module (PS3.3 section C.12.1): which algorithm made the result, and when. */
export function contributingEquipment(
  { name, version, computedOn }: { readonly name: string; readonly version: string; readonly computedOn?: string },
  dateTime: string,
): Elements {
  return {
    ContributingEquipmentSequence: [
      {
        ...equipment,
        ContributionDateTime: dateTime,
        ContributionDescription: `${RESEARCH_USE_ONLY}. Segmented by ${name} ${version}${computedOn ? `, computed on ${computedOn}` : ""}.`,
        PurposeOfReferenceCodeSequence: [codeItem(PROCESSING_EQUIPMENT)],
      },
    ],
  };
}

/** A code sequence item (PS3.3 section 8.8). */
export function codeItem({ value, scheme, meaning }: CodedConcept): Elements {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

/** PS3.16 CID 7162: how an algorithm goes about its work. */
export type AlgorithmFamily = "artificial-intelligence" | "density-rules";

/** Rules on grey values have no code of their own; the analysis of grey-value distributions is the nearest. */
const FAMILIES: Readonly<Record<AlgorithmFamily, CodedConcept>> = {
  "artificial-intelligence": concept("DCM", "123110"),
  "density-rules": concept("DCM", "123105"),
};

export function familyCode(family: AlgorithmFamily): CodedConcept {
  return FAMILIES[family];
}

/** PS3.16 CIDs 7005, 7202 and 7203. */
export const PROCESSING_EQUIPMENT = concept("DCM", "109102");
export const SOURCE_IMAGE_FOR_PROCESSING = concept("DCM", "121322");
export const SEGMENTATION_DERIVATION = concept("DCM", "113076");
