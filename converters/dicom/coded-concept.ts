/** A code sequence item (PS3.3 section 8.8): value, coding scheme designator, meaning. */
export interface CodedConcept {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** How a segment is named in DICOM (PS3.3 C.8.20.4): property category and type, with laterality where it has a side. */
export interface SegmentCodes {
  readonly category: CodedConcept;
  readonly type: CodedConcept;
  readonly typeModifier?: CodedConcept;
  readonly anatomicRegion?: CodedConcept;
  readonly anatomicRegionModifier?: CodedConcept;
  /** "exact": the table knows the term; "fallback": only a general term fits, and the raw prompt says the rest. */
  readonly confidence: "exact" | "caller" | "fallback";
}
