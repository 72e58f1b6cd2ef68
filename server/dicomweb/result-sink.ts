import { randomUUID } from "node:crypto";
import { type DicomFile, firstText, readPart10 } from "#converters/dicom/index.ts";
import { StoreRejectedError } from "../domain/errors.ts";
import type { ResultSink, StoredInstance } from "../domain/ports.ts";
import { parseDataSet } from "./dicom-json.ts";
import type { DicomwebLogger } from "./log.ts";
import { notDicomweb, storeRefusal } from "./pacs-fault.ts";
import type { Queries } from "./queries.ts";
import type { Attempt } from "./raw-answer.ts";
import { DUPLICATE_SOP_INSTANCE, explainFailure, verdictOn } from "./stow-response.ts";
import { readWhole, type Transport } from "./transport.ts";
import type { InstanceRef } from "./wado.ts";

const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

/**
 * Results into a DICOMweb archive by STOW-RS (PS3.18 section 10.5). An instance counts as stored only where the answer
 * names it, or where the archive then lists it: some archives answer 200 and leave out what they could not read.
 */
export function createResultSink(transport: Transport, queries: Queries, logger: DicomwebLogger): ResultSink {
  const store = async (part10: Uint8Array, signal: AbortSignal): Promise<StoredInstance> => {
    const { sopClassUid, ...instance } = identityOf(part10);
    const { sopInstanceUid } = instance;
    const stored = { sopClassUid, sopInstanceUid };
    const isHeld = async () => {
      const held = await queries.findInstance(instance, signal);
      return held !== undefined && (held.sopClassUid === undefined || held.sopClassUid === sopClassUid);
    };

    const answer = await transport.read(stowRequest(transport.root.href, part10), signal, (opened) =>
      readWhole(opened, MAX_RESPONSE_BYTES),
    );
    const response = parseDataSet(answer);
    const verdict = response ? verdictOn(response, sopInstanceUid) : undefined;
    if (verdict?.kind === "stored") {
      const { retrieveUrl, warningReason } = verdict;
      if (warningReason !== undefined) logger.warn({ event: "stow.warning", warningReason });
      return { ...stored, ...(retrieveUrl !== undefined && { retrieveUrl }) };
    }
    if (verdict?.kind === "failed") {
      const { failureReason } = verdict;
      if (failureReason === DUPLICATE_SOP_INSTANCE && (await isHeld())) return stored;
      throw new StoreRejectedError(explainFailure(failureReason), { failureReason });
    }
    if (answer.status === 409 && (await isHeld())) return stored;
    if (answer.status >= 400) throw storeRefusal(answer.status);
    if (await isHeld()) return stored;
    if (!verdict && answer.bytes.length > 0) throw notDicomweb(answer.contentType, answer.status);
    throw new StoreRejectedError("The archive took the object and does not list it: see the archive's log.");
  };
  return { store: (part10, { signal }) => store(part10, signal) };
}

/** @throws StoreRejectedError where it is not a DICOM file that an archive could hold */
function identityOf(part10: Uint8Array): InstanceRef & { readonly sopClassUid: string } {
  const { dataSet } = readable(part10);
  const sopClassUid = firstText(dataSet, "SOPClassUID");
  const sopInstanceUid = firstText(dataSet, "SOPInstanceUID");
  const seriesInstanceUid = firstText(dataSet, "SeriesInstanceUID");
  const studyInstanceUid = firstText(dataSet, "StudyInstanceUID");
  if (!sopClassUid || !sopInstanceUid || !seriesInstanceUid || !studyInstanceUid) {
    throw new StoreRejectedError("The object has no SOP class, instance, series or study UID: no archive can hold it.");
  }
  return { sopClassUid, sopInstanceUid, seriesInstanceUid, studyInstanceUid };
}

function readable(part10: Uint8Array): DicomFile {
  try {
    return readPart10(part10, { stopBeforePixels: true });
  } catch (cause) {
    throw new StoreRejectedError("The object is not a DICOM file, or was cut short: export it again.", { cause });
  }
}

/** The instance goes out as it lies in memory: between two small buffers, never copied. */
function stowRequest(root: string, part10: Uint8Array): Attempt {
  const boundary = `parse3d-${randomUUID()}`;
  return {
    method: "POST",
    url: `${root}/studies`,
    headers: {
      Accept: "application/dicom+json",
      "Content-Type": `multipart/related; type="application/dicom"; boundary="${boundary}"`,
    },
    body: [
      Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\nContent-Length: ${part10.length}\r\n\r\n`),
      part10,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ],
  };
}
