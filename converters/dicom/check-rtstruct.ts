import { contoursOnto } from "./contours-onto.ts";
import { decodeStructureSet } from "./decode-rtstruct.ts";
import type { StructureSetInput } from "./encode-rtstruct.ts";
import { checkSame, failedCheck } from "./failed-check.ts";
import { singleSlice } from "./mask-slices.ts";

/**
 * Reads a structure set that is about to leave and fills its contours again: each ROI has the voxels of its mask.
 * @throws Error that names the first difference: it must not be stored
 */
export function checkStructureSet(
  part10: Uint8Array,
  { uids, header, geometry, rois, sources, uneven }: StructureSetInput,
): void {
  const read = decodeStructureSet(part10);
  checkSame("The structure set", [
    ["SOP Instance UID", read.sopInstanceUid, uids.instance],
    ["Series Instance UID", read.seriesInstanceUid, uids.series],
    ["Study Instance UID", read.studyInstanceUid, header.study.StudyInstanceUID],
    ["Frame of Reference UID", read.frameOfReferenceUid, geometry.frameOfReferenceUid],
    ["number of ROIs", read.rois.length, rois.length],
    ...(sources.length === 0
      ? []
      : [["referenced series", read.referencedSeriesInstanceUid, header.series.SeriesInstanceUID] as const]),
  ]);
  for (const [n, { mask }] of rois.entries()) {
    const filled = contoursOnto(read.rois[n]!, uneven ? { geometry, sources } : geometry);
    for (let k = 0; k < geometry.size[2]; k++) {
      if (Buffer.compare(singleSlice(filled, k).bits, singleSlice(mask, k).bits) === 0) continue;
      throw failedCheck("The structure set", `the contours of ROI ${n + 1} enclose other voxels than its mask`);
    }
  }
}
