import type { SourceInstance, Vec3 } from "../geometry/index.ts";
import type { Diameter } from "../mask/index.ts";
import type { SegmentCodes } from "./coded-concept.ts";
import type { AlgorithmFamily } from "./equipment.ts";
import type { SegKind } from "./seg-kind.ts";
import type { SeriesHeader } from "./series-header.ts";

interface AskedFor {
  /** The words that were asked for, as they were. */
  readonly prompt: string;
  readonly codes: SegmentCodes;
  /** The segment's, where there is one. */
  readonly tracking: { readonly id: string; readonly uid: string };
  /** Probability that the object exists, 0 to 1; null where the model gives none. */
  readonly score: number | null;
}

export interface AbsentFinding extends AskedFor {
  readonly present: false;
}

export interface PresentFinding extends AskedFor {
  readonly present: true;
  /** In the SEG that the report refers to. */
  readonly segmentNumber?: number;
  readonly volumeMl?: number;
  readonly longestAxialDiameter?: Diameter;
  /** mm in LPS. */
  readonly box?: { readonly min: Vec3; readonly max: Vec3 };
}

/** What a report says of one thing that was asked for. */
export type ReportFinding = AbsentFinding | PresentFinding;

export interface ReportInput {
  /** Of the series that was segmented. */
  readonly header: SeriesHeader;
  /** Of that series: the frame that boxes and diameters are in. */
  readonly frameOfReferenceUid: string;
  readonly sources: readonly SourceInstance[];
  /** The SEG with the segments of the findings; absent where nothing was found. */
  readonly seg?: { readonly sopInstanceUid: string; readonly seriesInstanceUid: string; readonly kind?: SegKind };
  readonly findings: readonly ReportFinding[];
  readonly seriesDescription: string;
  readonly algorithm: { readonly name: string; readonly version: string; readonly family: AlgorithmFamily };
  /** Series Number (0020,0011); the source's plus 2000 where absent. */
  readonly seriesNumber?: number;
  readonly at: Date;
  readonly uids: { readonly series: string; readonly instance: string };
}
