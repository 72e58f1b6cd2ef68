import type { SeriesFault } from "../errors.ts";
import type { ImagePixelModule, ModalityLutModule } from "./modules.ts";
import type { SlicePlane } from "./slice-order.ts";
import type { VolumeTraits } from "./volume-traits.ts";

/** One slice of a volume, with its pixels still encoded: an instance, one of its frames, or a tile of a mosaic. */
export interface ImageFrame {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Empty where the instance has none. */
  readonly frameOfReferenceUid: string;
  /** Counted from 1; absent where the instance has a single frame. */
  readonly frame?: number;
  /** The instance it came in, counted from 1 as received. */
  readonly instance: number;
  readonly plane: SlicePlane;
  /** Of what is encoded: Rows and Columns are the plane's, or the whole mosaic's. */
  readonly pixel: ImagePixelModule;
  readonly rescale: ModalityLutModule;
  readonly traits: VolumeTraits;
  /** The fragments of the encoded frame; the tiles of one mosaic share one list. */
  readonly encoded: readonly Uint8Array[];
  /** The first column and row of this slice on the mosaic that it is a tile of. */
  readonly tile?: readonly [left: number, top: number];
}

/** Why one instance cannot be a slice; it becomes an UnsupportedSeriesError that says which instance. */
export class InstanceFault extends Error {
  override readonly name = "InstanceFault";
  readonly reason: SeriesFault;
  /** What the user can do. */
  readonly advice: string;

  /** @param problem reads on from "Instance 3 of 40 as received ...". */
  constructor(reason: SeriesFault, problem: string, advice: string, options: ErrorOptions = {}) {
    super(problem, options);
    this.reason = reason;
    this.advice = advice;
  }
}
