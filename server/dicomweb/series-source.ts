import { PacsTimeoutError, PacsUnavailableError, SeriesNotFoundError } from "../domain/errors.ts";
import type { SeriesDescription, SeriesRef, SeriesSource } from "../domain/ports.ts";
import { MalformedMessageError } from "./byte-input.ts";
import { concurrently } from "./concurrently.ts";
import type { DicomwebLogger } from "./log.ts";
import { refusal, TransientPacsError } from "./pacs-fault.ts";
import { type Queries, unlessUnknown } from "./queries.ts";
import { sopInstanceUidOf } from "./sop-instance-uid.ts";
import { checkSeriesRef } from "./uid.ts";
import type { Wado } from "./wado.ts";

/** Archives that do not give a whole series at once say so with one of these, or fail on it. */
const SERIES_REFUSED: ReadonlySet<number> = new Set([400, 404, 406, 500, 501]);

const INSTANCES_AT_ONCE = 4;

/**
 * Series from a DICOMweb archive. A series is streamed by one request; where that is refused or breaks, and where fewer
 * instances came than the archive says it holds, the missing ones are fetched one by one.
 */
export function createSeriesSource(queries: Queries, wado: Wado, logger: DicomwebLogger): SeriesSource {
  const describe = async (series: SeriesRef, signal: AbortSignal): Promise<SeriesDescription> => {
    const { seriesInstanceUid } = series;
    const here = await unlessUnknown(queries.searchSeries(series, signal));
    const found = here?.[0];
    if (found) {
      const { modality = "", instanceCount } = found;
      return {
        modality,
        instanceCount: instanceCount ?? (await queries.instancesOf(series, Number.POSITIVE_INFINITY, signal)).length,
      };
    }
    const elsewhere = await unlessUnknown(queries.searchSeries({ seriesInstanceUid }, signal));
    if (!here && !elsewhere) throw refusal(404);
    throw new SeriesNotFoundError(
      elsewhere && elsewhere.length > 0
        ? "The archive holds that series, but not in that study: give the study that it belongs to."
        : "The archive holds no such series: check both UIDs, and that the scan has been sent there.",
    );
  };

  /** What the series-level retrieval gives. An interruption ends it early, and is logged. */
  async function* stream(series: SeriesRef, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const answer = await wado.openSeries(series, signal);
    if (answer.status >= 400) {
      answer.discard();
      if (!SERIES_REFUSED.has(answer.status)) throw refusal(answer.status);
      logger.debug({ event: "wado.series-refused", status: answer.status });
      return;
    }
    try {
      for await (const instance of wado.instancesIn(answer)) yield instance;
    } catch (error) {
      if (!isInterruption(error)) throw error;
      logger.warn({ event: "wado.interrupted", reason: error.message });
    }
  }

  /** Undefined where the archive lists an instance that it then does not know. */
  const fetchListed = async (series: SeriesRef, sopInstanceUid: string, signal: AbortSignal) => {
    try {
      return await wado.fetchInstance({ ...series, sopInstanceUid }, signal);
    } catch (error) {
      if (error instanceof SeriesNotFoundError) return undefined;
      throw error;
    }
  };

  async function* instances(ref: SeriesRef, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<Uint8Array> {
    const series = checkSeriesRef(ref);
    const arrived = new Set<string>();
    for await (const instance of stream(series, signal)) {
      const sopInstanceUid = sopInstanceUidOf(instance);
      if (sopInstanceUid === undefined || arrived.has(sopInstanceUid)) continue;
      arrived.add(sopInstanceUid);
      yield instance;
      // Instances that came before the abort may still lie in the last chunk.
      signal.throwIfAborted();
    }

    const { instanceCount } = await describe(series, signal);
    if (arrived.size >= instanceCount) return;
    const listed = await queries.instancesOf(series, instanceCount, signal);
    const missing = listed.map(({ sopInstanceUid }) => sopInstanceUid).filter((uid) => !arrived.has(uid));
    logger.warn({ event: "wado.one-by-one", arrived: arrived.size, missing: missing.length });
    let unreadable = 0;
    const fetched = concurrently(missing, INSTANCES_AT_ONCE, signal, async (uid, stop) => ({
      uid,
      instance: await fetchListed(series, uid, stop),
    }));
    for await (const { uid, instance } of fetched) {
      if (!instance) continue;
      if (sopInstanceUidOf(instance) === undefined) {
        unreadable++;
      } else {
        arrived.add(uid);
        yield instance;
        signal.throwIfAborted();
      }
    }
    if (unreadable > 0) throw notDicom(unreadable, instanceCount);
    if (arrived.size < instanceCount) throw incomplete(arrived.size, instanceCount);
  }

  return {
    describe: async (series, { signal }) => describe(checkSeriesRef(series), signal),
    instances,
  };
}

/** What asking for the instances one by one may mend. */
function isInterruption(error: unknown): error is Error {
  return (
    error instanceof MalformedMessageError || error instanceof TransientPacsError || error instanceof PacsTimeoutError
  );
}

function notDicom(unreadable: number, instanceCount: number): PacsUnavailableError {
  return new PacsUnavailableError(
    `${unreadable} of the series' ${instanceCount} instances came as something that is not DICOM: send the series to the archive again.`,
    { retryable: false },
  );
}

function incomplete(arrived: number, instanceCount: number): PacsUnavailableError {
  return new PacsUnavailableError(
    `The archive says it holds ${instanceCount} instances of the series and gave ${arrived}: try again, or send the series there again.`,
  );
}
