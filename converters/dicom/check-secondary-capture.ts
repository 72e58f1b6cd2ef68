import { firstNumber, firstText } from "./data-set.ts";
import type { SecondaryCaptureInput } from "./encode-secondary-capture.ts";
import { checkSame, failedCheck } from "./failed-check.ts";
import { readPart10 } from "./read-part10.ts";

/**
 * Reads a secondary capture that is about to leave: who it is, and every pixel of its pictures.
 * @throws Error that names the first difference: it must not be stored
 */
export function checkSecondaryCapture(part10: Uint8Array, { uids, header, pictures }: SecondaryCaptureInput): void {
  const { dataSet, pixelData } = readPart10(part10);
  const [first] = pictures;
  checkSame("The secondary capture", [
    ["SOP Instance UID", firstText(dataSet, "SOPInstanceUID"), uids.instance],
    ["Series Instance UID", firstText(dataSet, "SeriesInstanceUID"), uids.series],
    ["Study Instance UID", firstText(dataSet, "StudyInstanceUID"), header.study.StudyInstanceUID],
    ["number of columns", firstNumber(dataSet, "Columns"), first?.width],
    ["number of rows", firstNumber(dataSet, "Rows"), first?.height],
    ["number of pictures", firstNumber(dataSet, "NumberOfFrames") ?? 1, pictures.length],
  ]);
  if (!pixelData || !("value" in pixelData)) throw failedCheck("The secondary capture", "it has no pixels");
  const size = first!.pixels.length;
  for (const [n, { pixels }] of pictures.entries()) {
    if (Buffer.compare(pixelData.value.subarray(n * size, (n + 1) * size), pixels) !== 0) {
      throw failedCheck("The secondary capture", `picture ${n + 1} has other pixels`);
    }
  }
}
