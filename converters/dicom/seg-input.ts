import type { SourceInstance, VolumeGeometry } from "../geometry/index.ts";
import type { BitVolume } from "../mask/index.ts";
import type { SegmentCodes } from "./coded-concept.ts";
import type { AlgorithmFamily } from "./equipment.ts";
import type { LossyCompression } from "./lossy-compression.ts";
import type { MaskSlices } from "./mask-slices.ts";
import type { SegCompression, SegKind } from "./seg-kind.ts";
import type { SegRevision } from "./seg-revision.ts";
import type { CielabValue } from "./segment-colour.ts";
import type { SeriesHeader } from "./series-header.ts";

export interface SegSegment {
  /** What a viewer lists; cut to 64 characters. The raw words belong into `description`. */
  readonly label: string;
  readonly description: string;
  readonly codes: SegmentCodes;
  readonly tracking: { readonly id: string; readonly uid: string };
  /** On the series' own grid: its size is the geometry's. */
  readonly mask: BitVolume | MaskSlices;
  /**
   * For kind "fractional": the probabilities of slice k, 0 (none) to 255 (certain), i fastest; undefined where all are
   * 0. Asked for more than once, a slice at a time: it must give the same each time, in an array that it may reuse.
   * Where absent, the mask is written as 0 and 255.
   */
  probabilities?(k: number): Uint8Array | undefined;
  /** Chosen by label where absent. */
  readonly colourLab?: CielabValue;
}

export interface SegInput {
  /** "binary" where absent, which every receiver can read. */
  readonly kind?: SegKind;
  /** "none" where absent. */
  readonly compression?: SegCompression;
  /** Of the series that was segmented. */
  readonly header: SeriesHeader;
  readonly geometry: VolumeGeometry;
  /** What the frames refer to and take their exact positions from. A slice without one is placed by the geometry. */
  readonly sources: readonly SourceInstance[];
  /** Slices lie where their sources say: of the geometry count its size, the directions of rows and columns, and their spacing. */
  readonly uneven?: boolean;
  /** How the masks came to be on these slices, where they were made on others; a sentence without its full stop. */
  readonly derivation?: string;
  /** Where the source's pixels once went through lossy compression: what is known of it, for a result inherits it. */
  readonly lossyCompression?: LossyCompression;
  /** Numbered from 1 in this order; they may overlap, but not in a label map. */
  readonly segments: readonly SegSegment[];
  readonly seriesDescription: string;
  readonly algorithm: {
    readonly name: string;
    readonly version: string;
    readonly family: AlgorithmFamily;
    /** What computed it, like "the CPU"; said with the contributing equipment. */
    readonly computedOn?: string;
    /** What it was asked with, as its user writes it; 10,240 characters at most. */
    readonly parameters?: string;
  };
  /** Where it was made of an earlier SEG. */
  readonly revision?: SegRevision;
  /** A person name (PN); nobody where absent. */
  readonly contentCreator?: string;
  /** Series Number (0020,0011); the source's plus 1000 where absent. */
  readonly seriesNumber?: number;
  readonly at: Date;
  readonly uids: { readonly series: string; readonly instance: string; readonly dimensionOrganization: string };
}
