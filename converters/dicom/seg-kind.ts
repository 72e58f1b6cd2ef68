import type { Elements } from "./elements.ts";

/**
 * How a SEG holds its segments (Segmentation Type, PS3.3 section C.8.20.2): one bit a pixel; the probability of each
 * segment, 0 to 255; or one number a pixel, which names its segment.
 */
export type SegKind = "binary" | "fractional" | "labelmap";

/** "deflated" is Deflated Explicit VR Little Endian; "rle" is for frames of bytes: fractional and labelmap. */
export type SegCompression = "none" | "rle" | "deflated";

/** The probability 1 in a fractional SEG. */
export const HIGHEST_FRACTION = 255;

const SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4";
const LABEL_MAP_SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7";

export function storageClassOf(kind: SegKind): string {
  return kind === "labelmap" ? LABEL_MAP_SEGMENTATION_STORAGE : SEGMENTATION_STORAGE;
}

/** What a kind's pixels take; a label map has as few bytes as its highest number needs. */
export function bitsAllocated(kind: SegKind, segments: number): 1 | 8 | 16 {
  if (kind === "binary") return 1;
  return kind === "labelmap" && segments > 0xff ? 16 : 8;
}

/** SOP class, Segmentation Type and Image Pixel module. */
export function kindElements(kind: SegKind, segments: number): Elements {
  const bits = bitsAllocated(kind, segments);
  return {
    SOPClassUID: storageClassOf(kind),
    ...TYPE_ELEMENTS[kind],
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    BitsAllocated: bits,
    BitsStored: bits,
    HighBit: bits - 1,
    PixelRepresentation: 0,
  };
}

const TYPE_ELEMENTS: Readonly<Record<SegKind, Elements>> = {
  binary: { SegmentationType: "BINARY" },
  fractional: {
    SegmentationType: "FRACTIONAL",
    SegmentationFractionalType: "PROBABILITY",
    MaximumFractionalValue: HIGHEST_FRACTION,
  },
  labelmap: { SegmentationType: "LABELMAP", PixelPaddingValue: 0 },
};
