import type { DataSet } from "./data-set.ts";
import {
  FrameOfReferenceModule,
  GeneralSeriesModule,
  GeneralStudyModule,
  PatientModule,
  PatientStudyModule,
} from "./modules.ts";

/**
 * What a derived object (SEG, SR) takes over from the series it was made of, as JavaScript strings: whoever writes them
 * chooses the character set. Holds patient data: never to be logged.
 */
export interface SeriesHeader {
  readonly patient: PatientModule;
  readonly study: GeneralStudyModule;
  readonly patientStudy: PatientStudyModule;
  readonly series: GeneralSeriesModule;
  readonly frameOfReference: FrameOfReferenceModule;
}

/** @param frameOfReferenceUid stands in where the data set has none. */
export function seriesHeader(dataSet: DataSet, frameOfReferenceUid: string): SeriesHeader {
  return {
    patient: PatientModule.parse(dataSet),
    study: GeneralStudyModule.parse(dataSet),
    patientStudy: PatientStudyModule.parse(dataSet),
    series: GeneralSeriesModule.parse(dataSet),
    frameOfReference: FrameOfReferenceModule.parse({ ...dataSet, FrameOfReferenceUID: [frameOfReferenceUid] }),
  };
}

/**
 * A Frame of Reference UID for a series that has none: derived from the series' own UID, so that all that is made of this
 * series shares it, and nothing else does ("2.25." and a UUID as a decimal number, PS3.5 section B.2).
 */
export function standInFrameOfReferenceUid(seriesInstanceUid: string): string {
  // Loaded where it is needed: that takes longer than reading the headers of a hundred slices.
  const { createHash } = process.getBuiltinModule("node:crypto");
  const digest = createHash("sha256").update(`frame of reference of ${seriesInstanceUid}`).digest();
  // Marked as a name-based UUID of the custom version (RFC 9562 section 5.8).
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${digest.subarray(0, 16).toString("hex")}`)}`;
}
