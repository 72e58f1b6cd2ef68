import { UnsupportedSeriesError } from "#converters/errors.ts";
import { PacsUnavailableError, SeriesNotFoundError } from "../domain/errors.ts";
import type { SeriesRef } from "../domain/ports.ts";
import { MalformedMessageError } from "./byte-input.ts";
import { parseMediaType } from "./media-type.ts";
import { parseMultipart } from "./multipart.ts";
import { notDicomweb, refusal, TransientPacsError } from "./pacs-fault.ts";
import type { Attempt } from "./raw-answer.ts";
import { type Answer, readWhole, type Transport } from "./transport.ts";

export interface InstanceRef extends SeriesRef {
  readonly sopInstanceUid: string;
}

/** WADO-RS retrieval of whole instances (PS3.18 section 10.4), in the transfer syntax they are stored in. */
export interface Wado {
  /** The answer to a series' retrieval, of any status below 300 or from 400 on. */
  openSeries(series: SeriesRef, signal: AbortSignal): Promise<Answer>;
  /**
   * The instances in an answer, as they come.
   * @throws MalformedMessageError, PacsUnavailableError where it is no DICOM, UnsupportedSeriesError("too-large")
   */
  instancesIn(answer: Answer): AsyncGenerator<Uint8Array, void>;
  /** @throws SeriesNotFoundError, PacsUnavailableError, PacsTimeoutError, UnsupportedSeriesError("too-large") */
  fetchInstance(instance: InstanceRef, signal: AbortSignal): Promise<Uint8Array>;
}

/** RFC 2046 allows 70 characters; Orthanc writes 73. */
const MAX_BOUNDARY_LENGTH = 200;

/** `transfer-syntax=*`: asked to transcode, some archives fail and old Orthanc with GDCM ends its process. */
const HEADERS = { Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };

export function createWado(transport: Transport, maxInstanceBytes: number): Wado {
  const get = (path: string): Attempt => ({
    method: "GET",
    url: `${transport.root.href}${path}`,
    headers: HEADERS,
  });

  async function* instancesIn(answer: Answer): AsyncGenerator<Uint8Array, void> {
    const { type, parameters } = parseMediaType(answer.contentType);
    if (answer.status === 204) return answer.discard();
    if (type === "application/dicom") {
      yield (await readWhole(answer, maxInstanceBytes, tooLarge)).bytes;
      return;
    }
    const boundary = parameters.get("boundary") ?? "";
    if (!type.startsWith("multipart/") || boundary === "" || boundary.length > MAX_BOUNDARY_LENGTH) {
      answer.discard();
      throw notDicomweb(answer.contentType, answer.status);
    }
    try {
      for await (const { body } of parseMultipart(answer.body, { boundary, maxPartBytes: maxInstanceBytes })) {
        yield body;
      }
    } catch (error) {
      if (error instanceof MalformedMessageError && error.fault === "part-too-large") throw tooLarge(maxInstanceBytes);
      throw error;
    }
  }

  const onlyInstanceIn = async (answer: Answer): Promise<Uint8Array> => {
    if (answer.status >= 400) {
      answer.discard();
      if (answer.status === 404) throw new SeriesNotFoundError("The archive holds no such instance in that series.");
      throw refusal(answer.status);
    }
    let first: Uint8Array | undefined;
    try {
      for await (const instance of instancesIn(answer)) {
        if (first) break;
        first = instance;
      }
    } catch (error) {
      throw error instanceof MalformedMessageError ? damagedAnswer(error) : error;
    }
    if (first) return first;
    throw new PacsUnavailableError("The archive answered without the instance: see its log, and try again.");
  };

  return {
    openSeries: ({ studyInstanceUid, seriesInstanceUid }, signal) =>
      transport.stream(get(`/studies/${studyInstanceUid}/series/${seriesInstanceUid}`), signal),
    instancesIn,
    fetchInstance: ({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }, signal) =>
      transport.read(
        get(`/studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`),
        signal,
        onlyInstanceIn,
      ),
  };
}

/** A cut answer may come whole the next time; one that contradicts itself will not. */
function damagedAnswer(cause: MalformedMessageError): PacsUnavailableError {
  return cause.fault === "truncated"
    ? new TransientPacsError("The archive's answer was cut short: try again, and check the archive's log.", { cause })
    : new PacsUnavailableError(
        `The archive's answer is malformed (${cause.fault}): check the archive, and what stands before it.`,
        { cause, retryable: false },
      );
}

function tooLarge(maxInstanceBytes: number): UnsupportedSeriesError {
  const limitMiB = Math.floor(maxInstanceBytes / 1024 / 1024);
  return new UnsupportedSeriesError(
    "too-large",
    `An instance of the series is larger than ${limitMiB} MiB, the most that is taken. Choose a smaller series.`,
    { limitMiB },
  );
}
