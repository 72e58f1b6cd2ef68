/** What is done with the instances of a SOP class. */
export type SopClassKind =
  /** Slices: a classic image of one, or an image of several frames that says where each lies. */
  | "image"
  /** An image of a kind that is not read yet. */
  | "other-image"
  /** Not an image: a report, contours, a segmentation, a presentation state. */
  | "not-image";

interface SopClass {
  readonly name: string;
  readonly kind: SopClassKind;
}

const STORAGE = "1.2.840.10008.5.1.4.1.1";

/** SOP classes whose frames need a reading of their own. */
export const SOP_CLASS = {
  nuclearMedicine: `${STORAGE}.20`,
  ultrasoundMultiFrame: `${STORAGE}.3.1`,
  secondaryCaptureByte: `${STORAGE}.7.2`,
  secondaryCaptureWord: `${STORAGE}.7.3`,
} as const;

const KNOWN: Readonly<Record<string, SopClass>> = {
  [`${STORAGE}.2`]: { name: "CT Image", kind: "image" },
  [`${STORAGE}.4`]: { name: "MR Image", kind: "image" },
  [`${STORAGE}.128`]: { name: "PET Image", kind: "image" },
  [`${STORAGE}.7`]: { name: "Secondary Capture Image", kind: "image" },
  [`${STORAGE}.2.1`]: { name: "Enhanced CT Image", kind: "image" },
  [`${STORAGE}.2.2`]: { name: "Legacy Converted Enhanced CT Image", kind: "image" },
  [`${STORAGE}.4.1`]: { name: "Enhanced MR Image", kind: "image" },
  [`${STORAGE}.4.3`]: { name: "Enhanced MR Color Image", kind: "other-image" },
  [`${STORAGE}.4.4`]: { name: "Legacy Converted Enhanced MR Image", kind: "image" },
  [`${STORAGE}.130`]: { name: "Enhanced PET Image", kind: "image" },
  [`${STORAGE}.128.1`]: { name: "Legacy Converted Enhanced PET Image", kind: "image" },
  [`${STORAGE}.1`]: { name: "Computed Radiography Image", kind: "other-image" },
  [`${STORAGE}.1.1`]: { name: "Digital X-Ray Image", kind: "other-image" },
  [`${STORAGE}.1.2`]: { name: "Digital Mammography X-Ray Image", kind: "other-image" },
  [`${STORAGE}.3.1`]: { name: "Ultrasound Multi-frame Image", kind: "image" },
  [`${STORAGE}.6.1`]: { name: "Ultrasound Image", kind: "other-image" },
  [`${STORAGE}.6.2`]: { name: "Enhanced US Volume", kind: "image" },
  [`${STORAGE}.7.1`]: { name: "Multi-frame Single Bit Secondary Capture Image", kind: "other-image" },
  [`${STORAGE}.7.2`]: { name: "Multi-frame Grayscale Byte Secondary Capture Image", kind: "image" },
  [`${STORAGE}.7.3`]: { name: "Multi-frame Grayscale Word Secondary Capture Image", kind: "image" },
  [`${STORAGE}.7.4`]: { name: "Multi-frame True Color Secondary Capture Image", kind: "other-image" },
  [`${STORAGE}.12.1`]: { name: "X-Ray Angiographic Image", kind: "other-image" },
  [`${STORAGE}.12.2`]: { name: "X-Ray Radiofluoroscopic Image", kind: "other-image" },
  [`${STORAGE}.13.1.1`]: { name: "X-Ray 3D Angiographic Image", kind: "image" },
  [`${STORAGE}.13.1.3`]: { name: "Breast Tomosynthesis Image", kind: "image" },
  [`${STORAGE}.20`]: { name: "Nuclear Medicine Image", kind: "image" },
  [`${STORAGE}.30`]: { name: "Parametric Map", kind: "other-image" },
  [`${STORAGE}.481.1`]: { name: "RT Image", kind: "other-image" },
  [`${STORAGE}.481.2`]: { name: "RT Dose", kind: "other-image" },
  [`${STORAGE}.481.3`]: { name: "RT Structure Set", kind: "not-image" },
  [`${STORAGE}.481.5`]: { name: "RT Plan", kind: "not-image" },
  [`${STORAGE}.66`]: { name: "Raw Data", kind: "not-image" },
  [`${STORAGE}.66.1`]: { name: "Spatial Registration", kind: "not-image" },
  [`${STORAGE}.66.2`]: { name: "Spatial Fiducials", kind: "not-image" },
  [`${STORAGE}.66.3`]: { name: "Deformable Spatial Registration", kind: "not-image" },
  [`${STORAGE}.66.4`]: { name: "Segmentation", kind: "not-image" },
  [`${STORAGE}.66.5`]: { name: "Surface Segmentation", kind: "not-image" },
  [`${STORAGE}.66.7`]: { name: "Label Map Segmentation", kind: "not-image" },
  [`${STORAGE}.67`]: { name: "Real World Value Mapping", kind: "not-image" },
  [`${STORAGE}.88.11`]: { name: "Basic Text SR", kind: "not-image" },
  [`${STORAGE}.88.22`]: { name: "Enhanced SR", kind: "not-image" },
  [`${STORAGE}.88.33`]: { name: "Comprehensive SR", kind: "not-image" },
  [`${STORAGE}.88.34`]: { name: "Comprehensive 3D SR", kind: "not-image" },
  [`${STORAGE}.88.59`]: { name: "Key Object Selection", kind: "not-image" },
  [`${STORAGE}.88.67`]: { name: "X-Ray Radiation Dose SR", kind: "not-image" },
  [`${STORAGE}.11.1`]: { name: "Grayscale Softcopy Presentation State", kind: "not-image" },
  [`${STORAGE}.11.2`]: { name: "Color Softcopy Presentation State", kind: "not-image" },
  [`${STORAGE}.104.1`]: { name: "Encapsulated PDF", kind: "not-image" },
};

/** What is known of a SOP class (PS3.4 table B.5-1); `hasPixels` decides for those that are not listed. */
export function sopClassOf(uid: string, hasPixels: boolean): SopClass {
  return KNOWN[uid] ?? { name: `SOP class ${uid}`, kind: hasPixels ? "other-image" : "not-image" };
}
