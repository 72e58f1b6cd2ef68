import { type DicomJson, jsonItems, jsonNumber, jsonText } from "./dicom-json.ts";
import { TAG } from "./tags.ts";

/** What the answer to a STOW-RS request says about one instance. */
export type StoreVerdict =
  | { readonly kind: "stored"; readonly retrieveUrl: string | undefined; readonly warningReason: number | undefined }
  | { readonly kind: "failed"; readonly failureReason: number | undefined }
  /** Neither: some archives leave out what they could not read. */
  | { readonly kind: "unmentioned" };

/** Failure Reason "Duplicate SOP Instance" (PS3.7 annex C.5.6). */
export const DUPLICATE_SOP_INSTANCE = 0x0111;

/** Reads a Store Instances Response (PS3.18 annex I.2). */
export function verdictOn(response: DicomJson, sopInstanceUid: string): StoreVerdict {
  const about = (item: DicomJson) => jsonText(item, TAG.ReferencedSOPInstanceUID) === sopInstanceUid;
  const failed =
    jsonItems(response, TAG.FailedSOPSequence).find(about) ?? jsonItems(response, TAG.OtherFailuresSequence)[0];
  if (failed) return { kind: "failed", failureReason: jsonNumber(failed, TAG.FailureReason) };
  const stored = jsonItems(response, TAG.ReferencedSOPSequence).find(about);
  if (!stored) return { kind: "unmentioned" };
  return {
    kind: "stored",
    retrieveUrl: jsonText(stored, TAG.RetrieveURL),
    warningReason: jsonNumber(stored, TAG.WarningReason),
  };
}

/** A Failure Reason (PS3.18 table I.2-2) in words, with what to do about it. */
export function explainFailure(failureReason: number | undefined): string {
  if (failureReason === undefined) return "The archive rejects the object and gives no reason: see the archive's log.";
  const code = failureReason.toString(16).toUpperCase().padStart(4, "0");
  return `The archive rejects the object (failure reason ${code}H): ${meaningOf(failureReason)}`;
}

function meaningOf(failureReason: number): string {
  switch (failureReason) {
    case 0x0110:
      return "it could not process it; see the archive's log, and check that the study is the one it belongs to.";
    case DUPLICATE_SOP_INSTANCE:
      return "it holds another object under the same UID; delete that one there first.";
    case 0x0122:
      return "it does not take objects of this kind (SOP class); allow it in the archive's settings.";
    case 0x0124:
      return "we are not authorised to store; check PARSE3D_DICOMWEB_TOKEN and the user's rights in the archive.";
    case 0xc122:
      return "it does not take the transfer syntax; allow it in the archive's settings.";
  }
  switch (failureReason >> 8) {
    case 0xa7:
      return "it is out of resources; free space there, and try again.";
    case 0xa9:
      return "it finds that the data set does not match its SOP class; see the archive's log.";
  }
  return failureReason >> 12 === 0xc
    ? "it cannot understand the object; see the archive's log."
    : "see the archive's log.";
}
