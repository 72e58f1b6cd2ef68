import type { CodedConcept } from "#converters/dicom/index.ts";

/** What the user asks for, in words; `id` is unique within its request ("p1", "p2", ...). */
export interface Prompt {
  readonly id: string;
  readonly text: string;
  /** The caller's own term for the segment; wins over the table's. */
  readonly code?: CodedConcept;
}
