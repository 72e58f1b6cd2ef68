import { dicomDateTime } from "./date-time.ts";
import { derivedSeriesElements, onlyInstance } from "./derived-series.ts";
import type { Elements } from "./elements.ts";
import { writePart10 } from "./part10-writer.ts";
import { referencedInstances } from "./referenced-instances.ts";
import { reportContent } from "./report-content.ts";
import type { ReportInput } from "./report-input.ts";
import { storageClassOf } from "./seg-kind.ts";

const COMPREHENSIVE_3D_SR_STORAGE = "1.2.840.10008.5.1.4.1.1.88.34";

/**
 * A Comprehensive 3D SR (PS3.3 section A.35.13) with the content of TID 1500 (PS3.16): a measurement group for each
 * finding, absent ones as well, that shares its tracking UID with the segment. PS3.16 has no numbers for a bounding box:
 * it is two opposite corners in the patient (SCOORD3D "Bounded by", CID 219), and the longest axial diameter is Long axis
 * (CID 7470), inferred from a line in the patient.
 *
 * @throws RangeError where there is no finding, or a score is not from 0 to 1
 */
export function encodeReport(input: ReportInput): Uint8Array {
  const { header, seriesDescription, seriesNumber, at, uids, findings } = input;
  if (findings.length === 0) throw new RangeError("a report needs at least one finding, present or absent");
  if (findings.some(({ score }) => score !== null && !(score >= 0 && score <= 1))) {
    throw new RangeError("a score is a probability from 0 to 1");
  }
  const { date, time } = dicomDateTime(at);
  return writePart10({
    ...derivedSeriesElements({
      header,
      at,
      seriesDescription,
      ...(seriesNumber !== undefined && { seriesNumber }),
      seriesInstanceUid: uids.series,
      modality: "SR",
    }),
    SOPClassUID: COMPREHENSIVE_3D_SR_STORAGE,
    ...onlyInstance({ sopInstanceUid: uids.instance, at, algorithm: input.algorithm }),
    ReferencedPerformedProcedureStepSequence: [],
    ContentDate: date,
    ContentTime: time,
    CompletionFlag: "COMPLETE",
    VerificationFlag: "UNVERIFIED",
    PreliminaryFlag: "PRELIMINARY",
    PerformedProcedureCodeSequence: [],
    ...evidence(input),
    ...reportContent(input),
  });
}

/** Every instance that the report was made from (PS3.3 section C.17.2.3). */
function evidence({ header, sources, seg }: ReportInput): Elements {
  const series = [
    ...(seg === undefined ? [] : [seriesItem(seg.seriesInstanceUid, [segItem(seg)])]),
    ...(sources.length === 0 ? [] : [seriesItem(header.series.SeriesInstanceUID, referencedInstances(sources))]),
  ];
  if (series.length === 0) return {};
  const study = { StudyInstanceUID: header.study.StudyInstanceUID, ReferencedSeriesSequence: series };
  return { CurrentRequestedProcedureEvidenceSequence: [study] };
}

function seriesItem(seriesInstanceUid: string, ReferencedSOPSequence: readonly Elements[]): Elements {
  return { SeriesInstanceUID: seriesInstanceUid, ReferencedSOPSequence };
}

function segItem({ kind, sopInstanceUid }: NonNullable<ReportInput["seg"]>): Elements {
  return { ReferencedSOPClassUID: storageClassOf(kind ?? "binary"), ReferencedSOPInstanceUID: sopInstanceUid };
}
