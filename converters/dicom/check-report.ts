import { type DataSet, firstNumber, firstText, items } from "./data-set.ts";
import { checkSame, failedCheck } from "./failed-check.ts";
import { readPart10 } from "./read-part10.ts";
import type { ReportInput } from "./report-input.ts";

/**
 * Reads a structured report that is about to leave: who it is, and of every finding, in their order, its tracking UID and
 * the segment that it refers to.
 * @throws Error that names the first difference: it must not be stored
 */
export function checkReport(part10: Uint8Array, { uids, header, findings, seg }: ReportInput): void {
  const { dataSet } = readPart10(part10);
  const groups = [...contentItems(dataSet)].filter((item) => conceptOf(item) === MEASUREMENT_GROUP);
  checkSame("The report", [
    ["SOP Instance UID", firstText(dataSet, "SOPInstanceUID"), uids.instance],
    ["Series Instance UID", firstText(dataSet, "SeriesInstanceUID"), uids.series],
    ["Study Instance UID", firstText(dataSet, "StudyInstanceUID"), header.study.StudyInstanceUID],
    ["number of findings", groups.length, findings.length],
  ]);
  for (const [n, finding] of findings.entries()) {
    const parts = [...contentItems(groups[n]!)];
    const tracking = parts.find((item) => conceptOf(item) === TRACKING_UID);
    if (firstText(tracking ?? {}, "UID") !== finding.tracking.uid) {
      throw failedCheck("The report", `finding ${n + 1} has another tracking UID`);
    }
    const [reference = {}] = items(parts.find((item) => conceptOf(item) === REFERENCED_SEGMENT) ?? {}, REFERENCE);
    const wanted = finding.present && finding.segmentNumber !== undefined && seg ? finding.segmentNumber : undefined;
    const found = firstNumber(reference, "ReferencedSegmentNumber");
    const instance = firstText(reference, "ReferencedSOPInstanceUID");
    if (found !== wanted || (wanted !== undefined && instance !== seg?.sopInstanceUid)) {
      throw failedCheck("The report", `finding ${n + 1} refers to another segment`);
    }
  }
}

const REFERENCE = "ReferencedSOPSequence";
const MEASUREMENT_GROUP = "125007";
const TRACKING_UID = "112040";
const REFERENCED_SEGMENT = "121191";

/** The items below one, at any depth, in the order of the document. */
function* contentItems(dataSet: DataSet): Generator<DataSet> {
  for (const item of items(dataSet, "ContentSequence")) {
    yield item;
    yield* contentItems(item);
  }
}

function conceptOf(item: DataSet): string | undefined {
  return firstText(items(item, "ConceptNameCodeSequence")[0] ?? {}, "CodeValue");
}
