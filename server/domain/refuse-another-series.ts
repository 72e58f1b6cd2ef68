import type { SeriesHeader } from "#converters/dicom/index.ts";
import { SeriesNotFoundError } from "./errors.ts";
import type { SeriesRef } from "./ports.ts";

/** @throws SeriesNotFoundError where the archive sent instances of another study or series than the one asked for */
export function refuseAnotherSeries(header: SeriesHeader, wanted: SeriesRef): void {
  if (header.study.StudyInstanceUID !== wanted.studyInstanceUid) {
    throw new SeriesNotFoundError("The series belongs to another study than the one given. Check studyInstanceUid.");
  }
  if (header.series.SeriesInstanceUID !== wanted.seriesInstanceUid) {
    throw new SeriesNotFoundError("The archive sent another series than the one asked for. Check seriesInstanceUid.");
  }
}
