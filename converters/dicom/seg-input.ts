import type { SourceInstance, VolumeGeometry } from "../geometry/index.ts";
import type { BitVolume } from "../mask/index.ts";
import type { SegmentCodes } from "./coded-concept.ts";
import type { AlgorithmFamily } from "./equipment.ts";
import type { CielabValue } from "./segment-colour.ts";
import type { SeriesHeader } from "./series-header.ts";

export interface SegSegment {
  /** What a viewer lists; cut to 64 characters. The raw words belong into `description`. */
  readonly label: string;
  readonly description: string;
  readonly codes: SegmentCodes;
  readonly tracking: { readonly id: string; readonly uid: string };
  /** On the series' own grid: its size is the geometry's. */
  readonly mask: BitVolume;
  /** Chosen by label where absent. */
  readonly colourLab?: CielabValue;
}

export interface SegInput {
  /** Of the series that was segmented. */
  readonly header: SeriesHeader;
  readonly geometry: VolumeGeometry;
  /** What the frames refer to and take their exact positions from. A slice without one is placed by the geometry. */
  readonly sources: readonly SourceInstance[];
  /** Numbered from 1 in this order; they may overlap. */
  readonly segments: readonly SegSegment[];
  readonly seriesDescription: string;
  readonly algorithm: { readonly name: string; readonly version: string; readonly family: AlgorithmFamily };
  /** A person name (PN); nobody where absent. */
  readonly contentCreator?: string;
  /** Series Number (0020,0011); the source's plus 1000 where absent. */
  readonly seriesNumber?: number;
  readonly at: Date;
  readonly uids: { readonly series: string; readonly instance: string; readonly dimensionOrganization: string };
}
