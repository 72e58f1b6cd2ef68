import { validateHeaderName, validateHeaderValue } from "node:http";
import { InvalidRequestError, SeriesNotFoundError } from "../domain/errors.ts";
import type { ArchiveContents, ResultSink, SeriesRef, SeriesSource } from "../domain/ports.ts";
import type { DicomJson } from "./dicom-json.ts";
import { type DicomwebLogger, SILENT } from "./log.ts";
import { namedSettings } from "./named-settings.ts";
import { DEFAULT_TIMEOUTS, type Timeouts } from "./patience.ts";
import { createQueries, type SeriesSummary, type StudySummary } from "./queries.ts";
import { createResultSink } from "./result-sink.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import { parseRootUrl } from "./root-url.ts";
import type { SeriesQuery, StudyQuery } from "./search-query.ts";
import { createSeriesSource } from "./series-source.ts";
import { createTransport } from "./transport.ts";
import { checkSeriesRef, checkUid } from "./uid.ts";
import { createWado, type InstanceRef } from "./wado.ts";

export interface DicomwebOptions {
  /** The DICOMweb root: http://127.0.0.1:8042/dicom-web. May hold a user's name and password. */
  readonly url: string;
  /** Sent with every request, such as Authorization. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeouts?: Partial<Timeouts>;
  readonly retry?: Partial<RetryPolicy>;
  readonly logger?: DicomwebLogger;
  /** What of the configuration names it, for words about its faults; left out: PARSE3D_DICOMWEB_URL and _TOKEN. */
  readonly setting?: string;
  /** A larger instance is refused; 1 GiB unless given. */
  readonly maxInstanceBytes?: number;
}

interface Abortable {
  readonly signal: AbortSignal;
}

/** What else an archive can be asked. Every method throws as the ports do, InvalidRequestError for a malformed query. */
export interface Archive extends ArchiveContents {
  searchStudies(query: StudyQuery, options: Abortable): Promise<readonly StudySummary[]>;
  searchSeries(query: SeriesQuery, options: Abortable): Promise<readonly SeriesSummary[]>;
  /** Where an instance lies. @throws SeriesNotFoundError */
  locateInstance(sopInstanceUid: string, options: Abortable): Promise<InstanceRef>;
  /** One data set per instance, without bulk data. Text is UTF-8 whatever (0008,0005) in it says. */
  seriesMetadata(series: SeriesRef, options: Abortable): Promise<readonly DicomJson[]>;
  /** One data set, without bulk data; undefined where the archive does not know the instance. */
  instanceMetadata(instance: InstanceRef, options: Abortable): Promise<DicomJson | undefined>;
  /** The Part-10 file, in the transfer syntax it is stored in. @throws SeriesNotFoundError */
  fetchInstance(instance: InstanceRef, options: Abortable): Promise<Uint8Array>;
}

/** A DICOMweb archive as the ports of the domain. Disposing of it closes its connections, with what goes on over them. */
export interface Dicomweb extends Disposable {
  readonly source: SeriesSource;
  readonly sink: ResultSink;
  readonly archive: Archive;
}

const MAX_INSTANCE_BYTES = 1024 * 1024 * 1024;

/** Opens no connection yet. @throws InvalidRequestError where the URL cannot be a DICOMweb root, or a header cannot be sent */
export function openDicomweb({
  url,
  headers = {},
  timeouts,
  retry,
  logger: given = SILENT,
  setting,
  maxInstanceBytes = MAX_INSTANCE_BYTES,
}: DicomwebOptions): Dicomweb {
  const named = namedSettings(setting);
  const logger = named.logger(given);
  const transport = createTransport({
    ...named.during(() => ({ root: parseRootUrl(url), headers: checkHeaders(headers) })),
    timeouts: { ...DEFAULT_TIMEOUTS, ...timeouts },
    retry: { ...DEFAULT_RETRY, ...retry },
    logger,
  });
  const queries = createQueries(transport);
  const wado = createWado(transport, maxInstanceBytes);
  const sink = createResultSink(transport, queries, logger);
  return {
    source: createSeriesSource(queries, wado, logger),
    sink: { store: (part10, options) => named.during(() => sink.store(part10, options)) },
    archive: {
      searchStudies: (query, { signal }) => queries.searchStudies(query, signal),
      searchSeries: (query, { signal }) => queries.searchSeries(query, signal),
      listInstances: async (series, { signal }) => {
        const listed = await queries.instancesOf(checkSeriesRef(series), Number.POSITIVE_INFINITY, signal);
        return listed.map(({ sopInstanceUid }) => sopInstanceUid);
      },
      holds: async (instance, { signal }) => {
        const sopInstanceUid = checkUid(instance.sopInstanceUid, "SOP instance UID");
        return (await queries.findInstance({ ...checkSeriesRef(instance), sopInstanceUid }, signal)) !== undefined;
      },
      locateInstance: async (wanted, { signal }) => {
        const found = await queries.locateInstance(checkUid(wanted, "SOP instance UID"), signal);
        if (!found) throw new SeriesNotFoundError("The archive lists no such instance. Check the SOP instance UID.");
        return found;
      },
      seriesMetadata: async (series, { signal }) => queries.seriesMetadata(checkSeriesRef(series), signal),
      instanceMetadata: async (instance, { signal }) => {
        const sopInstanceUid = checkUid(instance.sopInstanceUid, "SOP instance UID");
        return queries.instanceMetadata({ ...checkSeriesRef(instance), sopInstanceUid }, signal);
      },
      fetchInstance: async (instance, { signal }) => {
        const sopInstanceUid = checkUid(instance.sopInstanceUid, "SOP instance UID");
        return wado.fetchInstance({ ...checkSeriesRef(instance), sopInstanceUid }, signal);
      },
    },
    [Symbol.dispose]: () => transport.close(),
  };
}

/** The message does not hold the value, which may be a token. */
function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new InvalidRequestError(
        `The ${name.replace(/[^\w-]/g, "?")} header for the archive holds characters that HTTP does not allow: check PARSE3D_DICOMWEB_TOKEN.`,
      );
    }
  }
  return headers;
}
