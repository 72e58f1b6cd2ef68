import { InvalidRequestError } from "../domain/errors.ts";
import type { SeriesRef } from "../domain/ports.ts";

/** PS3.5 section 9.1: numeric components without leading zeros, joined by dots, at most 64 characters. */
const UID = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))+$/;
const MAX_UID_LENGTH = 64;

/** Only a UID may become part of a path or a query: it cannot hold a character that would change either. */
function isUid(text: string): boolean {
  return text.length <= MAX_UID_LENGTH && UID.test(text);
}

/** Whether what an archive calls a UID may become part of a path; real archives hold UIDs that break the rule. */
export function isHarmlessUid(text: string): boolean {
  return text.length <= MAX_UID_LENGTH && /^\d[\d.]*$/.test(text);
}

/** @throws InvalidRequestError where the text is not a UID; the message holds `what`, never the text. */
export function checkUid(text: string, what: string): string {
  if (isUid(text)) return text;
  throw new InvalidRequestError(
    `The ${what} is not a DICOM UID: digits and dots only, no component with a leading zero, at most 64 characters.`,
  );
}

/** @throws InvalidRequestError */
export function checkSeriesRef({ studyInstanceUid, seriesInstanceUid }: SeriesRef): SeriesRef {
  return {
    studyInstanceUid: checkUid(studyInstanceUid, "study instance UID"),
    seriesInstanceUid: checkUid(seriesInstanceUid, "series instance UID"),
  };
}
