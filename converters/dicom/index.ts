export type { CodedConcept, SegmentCodes } from "./coded-concept.ts";
