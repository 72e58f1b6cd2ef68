import type { SeriesFault } from "../errors.ts";
import type { LossyCompression } from "./lossy-compression.ts";
import type { ImagePixelModule, ModalityLutModule } from "./modules.ts";
import type { PetHeader } from "./pet-header.ts";
import type { LookupTable, RealWorldMapping } from "./real-world-values.ts";
import type { SlicePlane } from "./slice-order.ts";
import type { VolumeTraits } from "./volume-traits.ts";

/** The fragments of an encoded frame (PS3.5 section A.4), or how to fetch them. */
export type FrameBytes = readonly Uint8Array[] | FetchFrame;

/**
 * Fetches a frame's fragments into memory of `room`, where they are good until that is used again.
 * @throws InstanceFault
 */
export type FetchFrame = (room: (bytes: number) => Uint8Array) => Promise<readonly Uint8Array[]>;

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
  /** Where rescaled values are to be looked up. */
  readonly table?: LookupTable | undefined;
  /** What the header offers beside Rescale Slope and Intercept. */
  readonly mappings: readonly RealWorldMapping[];
  /** Of PET images. */
  readonly pet?: PetHeader;
  readonly lossyCompression?: LossyCompression;
  /** What was assumed of it, as a sentence for the user. */
  readonly remark?: string;
  readonly traits: VolumeTraits;
  /** The encoded frame; the tiles of one mosaic share one. */
  readonly encoded: FrameBytes;
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
