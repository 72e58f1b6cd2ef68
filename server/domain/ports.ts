import type { Volume } from "#converters/geometry/index.ts";
import type { PlaneAxis } from "#converters/mask/index.ts";
import type { ModelCard } from "#models/index.ts";
import type { Prompt } from "./prompt.ts";
import type { RecentSeries } from "./recent-series.ts";

/** How one piece of work is steered: stopped by its signal, watched through `progress`. */
export interface Run {
  readonly signal: AbortSignal;
  /** @param fraction of this stage, 0 to 1 */
  progress(stage: Stage, fraction: number, detail?: string): void;
  /** Something that the user should know of the result, in plain words. */
  note(text: string): void;
}

export type Stage = "queued" | "fetch" | "decode" | "prepare" | "infer" | "encode" | "store" | "done";

export interface SeriesRef {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
}

export interface SeriesDescription {
  readonly modality: string;
  /** Instances that the archive says it holds. */
  readonly instanceCount: number;
}

/** Where series come from. */
export interface SeriesSource {
  /** @throws SeriesNotFoundError, PacsUnavailableError, PacsTimeoutError */
  describe(series: SeriesRef, options: { readonly signal: AbortSignal }): Promise<SeriesDescription>;
  /** Part-10 files, in any order. Throws as `describe` does; a connection that breaks midway is resumed, never cut short silently. */
  instances(series: SeriesRef, options: { readonly signal: AbortSignal }): AsyncIterable<Uint8Array>;
  /** `nameOfInstances` of what the series holds now. Absent where that is not known without fetching it. */
  revision?(series: SeriesRef, options: { readonly signal: AbortSignal }): Promise<string>;
}

/** What the archive holds now, without fetching it. Both throw as `SeriesSource` does; a malformed UID is an InvalidRequestError. */
export interface ArchiveContents {
  /** SOP Instance UIDs of a series. */
  listInstances(series: SeriesRef, options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
  /** Whether the archive lists that instance, in that series of that study. */
  holds(
    instance: SeriesRef & { readonly sopInstanceUid: string },
    options: { readonly signal: AbortSignal },
  ): Promise<boolean>;
}

export interface StoredInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly retrieveUrl?: string;
}

/** Where results go. */
export interface ResultSink {
  /** @throws StoreRejectedError where the archive refuses the instance, PacsUnavailableError, PacsTimeoutError */
  store(part10: Uint8Array, options: { readonly signal: AbortSignal }): Promise<StoredInstance>;
}

/** One label map for programs that read no DICOM. What identifies a person becomes a keyed hash in its name. */
export interface NiftiFile {
  readonly patientId: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  /** The job's: another question about the same series is another file. */
  readonly key: string;
  readonly subfolder?: string;
  /** Gzipped. */
  readonly nifti: Uint8Array;
  readonly labels: readonly { readonly value: number; readonly name: string }[];
}

/** A folder of the administrator's for masks as NIfTI. Both throw DomainErrors that say what is wrong with it. */
export interface NiftiFolder {
  /** That a file could be written now. */
  check(): Promise<void>;
  /** Whole, or not at all; in place of what there was of the same name. @returns its path within the folder */
  write(file: NiftiFile): Promise<string>;
}

export type MergeMode = "exclusive" | "overlapping";

export interface SegmentOptions {
  /** `exclusive`: a voxel belongs to one prompt at most (upstream's way); `overlapping`: each prompt by itself. */
  readonly merge: MergeMode;
  /** Whether slices carry probabilities beside their masks. */
  readonly probabilities: boolean;
  /** Probability from which a voxel belongs to the mask, 0 to 1; the model's own (0.5) where left out. */
  readonly maskThreshold?: number;
  /** Existence score from which a prompt is there in a plane, 0 to 1; the model's own where left out. */
  readonly existenceThreshold?: number;
  /** Noises that a sampling network is asked with, 1 to 16: their logits are averaged, their disagreement is told. Default 1. */
  readonly draws?: number;
  /** Whether masks come with the edges between touching objects, where the model tells them. */
  readonly instances?: boolean;
  /** Slice k to begin with: its neighbours follow in turn, outwards. In order where left out. */
  readonly firstSlice?: number;
  /** Body Part Examined (0018,0015): it may decide how words are looked at that name no target. */
  readonly bodyPart?: string;
  /** Words that may be asked next, likeliest first. A model that can answers some of them in the same pass, and remembers. */
  readonly anticipate?: Anticipation;
}

export interface Anticipation {
  readonly candidates: readonly string[];
  /** How many of them; the engine's own setting where left out. */
  readonly most?: number;
}

/** What a model says about one prompt on one plane of the volume's own grid. Planes that say nothing may be left out. */
export interface SliceResult {
  readonly promptId: string;
  readonly axis: PlaneAxis;
  readonly index: number;
  /** Probability that the object exists in this plane, 0 to 1; null where the model gives none. */
  readonly existence: number | null;
  /** 0 or 1 for each pixel of the plane, after thresholds and merging; see planeSize for its order. Absent where empty. */
  readonly mask?: Uint8Array;
  /** round(255 p) for each pixel of the plane, before thresholds and merging; only where asked for. */
  readonly probability?: Uint8Array;
  /** 0 or 1 for each pixel of the plane: the edges of touching objects; only where asked for and where the model tells them. */
  readonly edges?: Uint8Array;
  /** How far several draws differ on this prompt, 0 to 1, over the whole volume: told once, with one of the last planes. */
  readonly disagreement?: number;
}

/** A loaded model. `segment` calls queue up behind one another. */
export interface SegmentationModel extends AsyncDisposable {
  readonly card: ModelCard;
  /** What its last answer was computed on, in words like "the CPU"; undefined before the first, or where it is not known. */
  computedOn?(): string | undefined;
  /**
   * Yields each (prompt, plane) at most once, as they are ready. Ending the iteration early stops the work.
   * @throws ModelUnavailableError (retryable) where the inference process dies; GpuOutOfMemoryError; InvalidPromptError;
   * UnsupportedSeriesError where the volume is not of a kind that the model knows; the signal's reason within a second of
   * abort.
   */
  segment(volume: Volume, prompts: readonly Prompt[], options: SegmentOptions, run: Run): AsyncIterable<SliceResult>;
}

/** Which models there are, and which one answers. */
export interface ModelRegistry extends AsyncDisposable {
  cards(): Promise<readonly ModelCard[]>;
  /**
   * The model called `name`, or the best for this modality and these prompts; loaded when first used.
   * @throws ModelNotFoundError, InvalidPromptError (no installed model can answer; lists what can be asked)
   */
  choose(query: {
    readonly modality: string;
    readonly prompts: readonly Prompt[];
    readonly name?: string;
  }): Promise<SegmentationModel>;
}

/** All that the feature needs from outside. Clock and UIDs are ports too, so that a result is reproducible to the byte. */
export interface Ports {
  readonly source: SeriesSource;
  readonly sink: ResultSink;
  readonly models: ModelRegistry;
  /** Absent where the administrator names none. */
  readonly niftiFolder?: NiftiFolder;
  /** Where the series of the last question is kept, decoded; each question decodes its own where absent. */
  readonly recent?: RecentSeries;
  now(): Date;
  /** The same `key` and `role` give the same UID, for ever: a retry stores nothing twice. */
  newUid(key: string, role: string): string;
}
