import type { AlgorithmFamily, CodedConcept } from "#converters/dicom/index.ts";
import type { Figures } from "./card-fields.ts";

/** Something that a model can be asked for. */
export interface Target {
  /** Canonical name, lower case: "left kidney". */
  readonly name: string;
  readonly synonyms: readonly string[];
  readonly code?: CodedConcept;
  /** One side of it may be asked for too: "left thalamus". Absent where the name holds its side, or there are none. */
  readonly sided?: true;
  /** What the model is asked in place of its names, by modality. Absent: the words as they were typed. */
  readonly phrases?: Readonly<Record<string, string>>;
}

/** What a user is told of a model before and after it answers. */
export interface ModelCard {
  readonly name: string;
  readonly version: string;
  /** sha256 over the bundle's files, hex: part of every job's key. */
  readonly sha256: string;
  /** `bundle`: text-prompted; `labels`: fixed list of classes; the others are text-prompted and computed elsewhere. */
  readonly engine: "bundle" | "labels" | "azure-ml" | "open-inference";
  readonly title: string;
  /** Plain words, first of all whether it is a trained network. */
  readonly description: string;
  readonly trained: boolean;
  /** How it goes about its work: said in every SEG that it makes. */
  readonly algorithmFamily: AlgorithmFamily;
  readonly modalities: readonly string[];
  readonly licence: string;
  readonly nonCommercial: boolean;
  /** `open`: any words may be asked, `targets` are those recommended; `closed`: nothing else is known. */
  readonly vocabulary: "open" | "closed";
  readonly targets: readonly Target[];
  /** `sentence`: prompts that name a target of the image's modality are sent as its phrase. Absent: all as typed. */
  readonly phrasing?: "as-typed" | "sentence";
  readonly intendedUse: string;
  /** Measured agreement with references, where there is any. */
  readonly figures?: readonly Figures[];
}
