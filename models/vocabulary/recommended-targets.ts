import { CT_TARGETS } from "./ct.ts";
import { MR_TARGETS } from "./mr.ts";
import {
  ELECTRON_MICROSCOPY_TARGETS,
  LIGHT_SHEET_TARGETS,
  PET_TARGETS,
  ULTRASOUND_TARGETS,
} from "./other-modalities.ts";
import type { RecommendedTarget, TargetGroup } from "./target-group.ts";

const GROUPS_BY_MODALITY: ReadonlyMap<string, readonly TargetGroup[]> = new Map([
  ["CT", CT_TARGETS],
  ["MR", MR_TARGETS],
  ["US", ULTRASOUND_TARGETS],
  ["PT", PET_TARGETS],
  ["EM", ELECTRON_MICROSCOPY_TARGETS],
  ["LSM", LIGHT_SHEET_TARGETS],
]);

/**
 * What MedImageParse 3D's model card recommends to ask for; anything else may be asked, with less to expect.
 *
 * @param modality DICOM's Modality; "EM" and "LSM" for electron and light-sheet microscopy, which DICOM has no volumes of.
 * Any other gives an empty list.
 */
export function recommendedTargets(modality: string): readonly RecommendedTarget[] {
  return (GROUPS_BY_MODALITY.get(modality) ?? []).flatMap(({ targets, ...group }) =>
    targets.map((target) => ({ ...target, ...group })),
  );
}
