export type { DicomJson, DicomJsonElement } from "./dicom-json.ts";
export type { DicomwebLogger } from "./log.ts";
export { type Archive, type Dicomweb, type DicomwebOptions, openDicomweb } from "./open-dicomweb.ts";
export type { Timeouts } from "./patience.ts";
export type { SeriesSummary, StudySummary } from "./queries.ts";
export type { RetryPolicy } from "./retry.ts";
export type { SeriesQuery, StudyQuery } from "./search-query.ts";
export { sopInstanceUidOf } from "./sop-instance-uid.ts";
export type { InstanceRef } from "./wado.ts";
