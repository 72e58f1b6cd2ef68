import type { WindowName } from "./target-group.ts";

/**
 * Parts of DICOM's Body Part Examined (0018,0015; PS3.16 annex L) and the regions of the vocabulary that an image of them may
 * show. A value may name several, as CHESTABDPELVIS does; its words are looked for anywhere in it.
 */
const REGIONS_OF_PART: readonly (readonly [part: RegExp, regions: readonly string[]])[] = [
  [
    /HEAD|BRAIN|SKULL|CEREB|ORBIT|^EYE|^EAR|IAC|PITUIT|SINUS|FACE|JAW|MANDIB|MAXILLA/,
    ["neuro", "glioma", "white matter", "head and neck", "brain", "vessels"],
  ],
  [/NECK|CAROTID|THYROID|LARYNX|PHARYNX|CSPINE/, ["head and neck", "neck", "vessels", "spine and musculoskeletal"]],
  [/CHEST|THORA|LUNG|MEDIASTIN|BRONCH|RIB|BREAST|TSPINE/, ["thorax", "heart", "vessels", "spine and musculoskeletal"]],
  [/HEART|CARDIA|CORONAR|AORTA/, ["heart", "thorax", "vessels"]],
  [
    /ABD|LIVER|SPLEEN|KIDNEY|PANCREAS|STOMACH|GALLBLADDER|ADRENAL|COLON|BOWEL|LSPINE/,
    ["abdomen and pelvis", "colon segments", "vessels", "spine and musculoskeletal"],
  ],
  [
    /PELVI|PROSTATE|BLADDER|UTERUS|OVARY|RECTUM|SSPINE|SACRUM/,
    ["abdomen and pelvis", "colon segments", "genitourinary", "vessels", "spine and musculoskeletal"],
  ],
  [
    /SPINE|HIP|SHOULDER|HUMERUS|ARM|FEMUR|THIGH|LEG|CALF|KNEE|ELBOW|CLAVICLE|SCAPULA|EXTREMITY/,
    ["spine and musculoskeletal", "calf", "vessels"],
  ],
];

/** Lesions are asked for whatever the part. */
const ANYWHERE = ["oncology and pathology", "whole body"];

/**
 * The regions of the vocabulary that an image of a body part may show; undefined where the part is not said, not known, or the
 * whole body: then it may be any.
 */
export function regionsOfBodyPart(bodyPart: string | undefined): ReadonlySet<string> | undefined {
  const part = bodyPart?.toUpperCase().replace(/[^A-Z]/g, "") ?? "";
  if (part.includes("WHOLEBODY")) return undefined;
  const regions = REGIONS_OF_PART.flatMap(([pattern, known]) => (pattern.test(part) ? known : []));
  return regions.length === 0 ? undefined : new Set([...regions, ...ANYWHERE]);
}

/** Body parts of which a CT is seen through another window than soft tissue's, as upstream's presets are named. */
const WINDOWS_OF_PART: readonly (readonly [part: RegExp, window: WindowName])[] = [
  [/^(HEAD|BRAIN|CEREB.*|PITUITARY)$/, "brain"],
  [/^LUNGS?$/, "lung"],
  [
    /^(SKULL|[CTLS]?SPINE|WHOLESPINE|JAW|MANDIBLE|MAXILLA|IAC|RIBS?|SHOULDER|CLAVICLE|SCAPULA|HUMERUS|ELBOW|FOREARM|WRIST|HAND|FINGER|HIP|FEMUR|KNEE|TIBIA|FIBULA|ANKLE|CALCANEUS|FOOT|TOE|EXTREMITY)$/,
    "bone",
  ],
];

/** The CT window that suits a body part; undefined where that is soft tissue's, or the part is not said or holds several. */
export function windowOfBodyPart(bodyPart: string | undefined): WindowName | undefined {
  const part = bodyPart?.toUpperCase().replace(/[^A-Z]/g, "") ?? "";
  return WINDOWS_OF_PART.find(([pattern]) => pattern.test(part))?.[1];
}
