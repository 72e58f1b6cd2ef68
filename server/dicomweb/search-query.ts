import { InvalidRequestError } from "../domain/errors.ts";
import { TAG } from "./tags.ts";
import { checkUid } from "./uid.ts";

/** What is absent is not restricted. */
export interface StudyQuery {
  readonly studyInstanceUid?: string;
  readonly patientId?: string;
  /** Of any series in the study. */
  readonly modality?: string;
  /** Study Date (0008,0020) from this day on, YYYYMMDD. */
  readonly sinceDay?: string;
  readonly limit?: number;
  readonly offset?: number;
}

export interface SeriesQuery extends StudyQuery {
  readonly seriesInstanceUid?: string;
}

type Parameters = Readonly<Record<string, string | number>>;

/** @throws InvalidRequestError */
export function studyParameters(query: StudyQuery): Parameters {
  return { ...common(query), ...(query.modality && { ModalitiesInStudy: checkModality(query.modality) }) };
}

/** A study goes into the path, not in here. @throws InvalidRequestError */
export function seriesParameters({ studyInstanceUid, seriesInstanceUid, modality, ...query }: SeriesQuery): Parameters {
  if (studyInstanceUid !== undefined) checkUid(studyInstanceUid, "study instance UID");
  return {
    ...common(query),
    ...(seriesInstanceUid !== undefined && {
      SeriesInstanceUID: checkUid(seriesInstanceUid, "series instance UID"),
    }),
    ...(modality && { Modality: checkModality(modality) }),
    includefield: TAG.NumberOfSeriesRelatedInstances,
  };
}

/** Whether the row is what was asked for: archives widen a query, and ignore a key that they do not know. */
export function exactMatch(
  row: {
    readonly studyInstanceUid?: string | undefined;
    readonly seriesInstanceUid?: string | undefined;
    readonly patientId?: string | undefined;
  },
  query: SeriesQuery,
): boolean {
  const agrees = (value: string | undefined, wanted: string | undefined) =>
    wanted === undefined || value === undefined || value === wanted;
  return (
    agrees(row.studyInstanceUid, query.studyInstanceUid) &&
    agrees(row.seriesInstanceUid, query.seriesInstanceUid) &&
    agrees(row.patientId, query.patientId)
  );
}

function common({ studyInstanceUid, patientId, sinceDay, limit, offset }: StudyQuery): Parameters {
  return {
    ...(studyInstanceUid !== undefined && { StudyInstanceUID: checkUid(studyInstanceUid, "study instance UID") }),
    ...(patientId && { PatientID: unencoded(patientId) }),
    ...(sinceDay !== undefined && { StudyDate: `${checkDay(sinceDay)}-` }),
    ...(limit !== undefined && { limit }),
    ...(offset !== undefined && { offset }),
  };
}

function checkDay(text: string): string {
  if (/^\d{8}$/.test(text)) return text;
  throw new InvalidRequestError("The day is not a DICOM date, such as 20260131.");
}

function checkModality(text: string): string {
  if (/^[A-Z0-9_]{1,16}$/.test(text)) return text;
  throw new InvalidRequestError("The modality is not a DICOM code string, such as CT or MR.");
}

/**
 * Orthanc's DICOMweb does not decode percent-encoding in a query. What would need it becomes a wildcard (PS3.4 section
 * C.2.2.2.4), and `exactMatch` drops what that lets in.
 */
function unencoded(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]+/g, "*");
}
