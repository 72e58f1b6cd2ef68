import { api, type RequestInstance } from "dicomweb-client";
import { PacsUnavailableError } from "../domain/errors.ts";
import type { SeriesRef } from "../domain/ports.ts";
import { type DicomJson, jsonNumber, jsonText, jsonTexts, parseDataSets } from "./dicom-json.ts";
import { refusal } from "./pacs-fault.ts";
import { recordedRequest } from "./recorded-request.ts";
import { exactMatch, type SeriesQuery, type StudyQuery, seriesParameters, studyParameters } from "./search-query.ts";
import { TAG } from "./tags.ts";
import { readWhole, type Transport } from "./transport.ts";
import { isHarmlessUid } from "./uid.ts";
import type { InstanceRef } from "./wado.ts";

export interface StudySummary {
  readonly studyInstanceUid: string;
  readonly patientId: string | undefined;
  readonly studyDate: string | undefined;
  readonly studyDescription: string | undefined;
  readonly modalities: readonly string[];
  readonly instanceCount: number | undefined;
}

export interface SeriesSummary {
  readonly studyInstanceUid: string | undefined;
  readonly seriesInstanceUid: string;
  readonly patientId: string | undefined;
  readonly modality: string | undefined;
  readonly seriesNumber: number | undefined;
  readonly seriesDescription: string | undefined;
  readonly instanceCount: number | undefined;
}

export interface InstanceSummary {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string | undefined;
}

/** QIDO-RS and metadata. Every method throws PacsUnavailableError, PacsTimeoutError, the signal's reason. */
export interface Queries {
  searchStudies(query: StudyQuery, signal: AbortSignal): Promise<readonly StudySummary[]>;
  searchSeries(query: SeriesQuery, signal: AbortSignal): Promise<readonly SeriesSummary[]>;
  /** Every instance of a series, page by page; `expected` ends the paging early. */
  instancesOf(series: SeriesRef, expected: number, signal: AbortSignal): Promise<readonly InstanceSummary[]>;
  /** Undefined where the archive does not list it in that series. */
  findInstance(instance: InstanceRef, signal: AbortSignal): Promise<InstanceSummary | undefined>;
  /** Where an instance lies; undefined where the archive does not list it. */
  locateInstance(sopInstanceUid: string, signal: AbortSignal): Promise<InstanceRef | undefined>;
  seriesMetadata(series: SeriesRef, signal: AbortSignal): Promise<readonly DicomJson[]>;
  /** Undefined where the archive does not know it. */
  instanceMetadata(instance: InstanceRef, signal: AbortSignal): Promise<DicomJson | undefined>;
}

/** Metadata of 5,000 CT slices is 60 MB where the archive gives all of it. */
const MAX_JSON_BYTES = 256 * 1024 * 1024;

/** No series is larger; an archive that goes on listing is not followed for ever. */
const MAX_INSTANCES = 100_000;

export function createQueries(transport: Transport): Queries {
  const client = new api.DICOMwebClient({ url: transport.root.href, verbose: false });

  const ask = async (
    signal: AbortSignal,
    send: (request: { readonly instance: RequestInstance }) => unknown,
  ): Promise<readonly DicomJson[]> => {
    const answer = await transport.read(recordedRequest(send), signal, (opened) => readWhole(opened, MAX_JSON_BYTES));
    if (answer.status >= 400) throw refusal(answer.status);
    return parseDataSets(answer);
  };

  return {
    searchStudies: async (query, signal) => {
      const queryParams = studyParameters(query);
      const rows = await ask(signal, (request) => client.searchForStudies({ queryParams, request }));
      return rows.flatMap(studySummary).filter((row) => exactMatch(row, query));
    },

    searchSeries: async (query, signal) => {
      const { studyInstanceUid: studyInstanceUID } = query;
      const queryParams = seriesParameters(query);
      const rows = await ask(signal, (request) =>
        client.searchForSeries({ ...(studyInstanceUID && { studyInstanceUID }), queryParams, request }),
      );
      return rows.flatMap(seriesSummary).filter((row) => exactMatch(row, query));
    },

    instancesOf: async (
      { studyInstanceUid: studyInstanceUID, seriesInstanceUid: seriesInstanceUID },
      expected,
      signal,
    ) => {
      const found = new Map<string, InstanceSummary>();
      for (;;) {
        const before = found.size;
        const queryParams = before > 0 ? { offset: before } : {};
        const rows = await ask(signal, (request) =>
          client.searchForInstances({ studyInstanceUID, seriesInstanceUID, queryParams, request }),
        );
        for (const instance of rows.flatMap(instanceSummary)) found.set(instance.sopInstanceUid, instance);
        // Archives that know no paging answer the same again.
        if (found.size >= Math.min(expected, MAX_INSTANCES) || found.size === before) return [...found.values()];
      }
    },

    findInstance: async (instance, signal) => {
      const { studyInstanceUid: studyInstanceUID, seriesInstanceUid: seriesInstanceUID, sopInstanceUid } = instance;
      const queryParams = { SOPInstanceUID: sopInstanceUid };
      const asked = ask(signal, (request) =>
        client.searchForInstances({ studyInstanceUID, seriesInstanceUID, queryParams, request }),
      );
      const rows = (await unlessUnknown(asked)) ?? [];
      return rows.flatMap(instanceSummary).find((row) => row.sopInstanceUid === sopInstanceUid);
    },

    locateInstance: async (sopInstanceUid, signal) => {
      const queryParams = { SOPInstanceUID: sopInstanceUid };
      const rows = await ask(signal, (request) => client.searchForInstances({ queryParams, request }));
      const row = rows.find((one) => jsonText(one, TAG.SOPInstanceUID) === sopInstanceUid);
      const studyInstanceUid = row && jsonText(row, TAG.StudyInstanceUID);
      const seriesInstanceUid = row && jsonText(row, TAG.SeriesInstanceUID);
      return studyInstanceUid && seriesInstanceUid
        ? { studyInstanceUid, seriesInstanceUid, sopInstanceUid }
        : undefined;
    },

    seriesMetadata: ({ studyInstanceUid: studyInstanceUID, seriesInstanceUid: seriesInstanceUID }, signal) =>
      ask(signal, (request) => client.retrieveSeriesMetadata({ studyInstanceUID, seriesInstanceUID, request })),

    instanceMetadata: async (instance, signal) => {
      const { studyInstanceUid: studyInstanceUID, seriesInstanceUid: seriesInstanceUID } = instance;
      const where = { studyInstanceUID, seriesInstanceUID, sopInstanceUID: instance.sopInstanceUid };
      const asked = ask(signal, (request) => client.retrieveInstanceMetadata({ ...where, request }));
      return (await unlessUnknown(asked))?.[0];
    },
  };
}

/** @returns undefined where the archive answers that it knows no such thing */
export async function unlessUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PacsUnavailableError && error.status === 404) return undefined;
    throw error;
  }
}

function studySummary(row: DicomJson): StudySummary[] {
  const studyInstanceUid = jsonText(row, TAG.StudyInstanceUID);
  if (studyInstanceUid === undefined) return [];
  return [
    {
      studyInstanceUid,
      patientId: jsonText(row, TAG.PatientID),
      studyDate: jsonText(row, TAG.StudyDate),
      studyDescription: jsonText(row, TAG.StudyDescription),
      modalities: jsonTexts(row, TAG.ModalitiesInStudy),
      instanceCount: jsonNumber(row, TAG.NumberOfStudyRelatedInstances),
    },
  ];
}

function seriesSummary(row: DicomJson): SeriesSummary[] {
  const seriesInstanceUid = jsonText(row, TAG.SeriesInstanceUID);
  if (seriesInstanceUid === undefined) return [];
  return [
    {
      seriesInstanceUid,
      studyInstanceUid: jsonText(row, TAG.StudyInstanceUID),
      patientId: jsonText(row, TAG.PatientID),
      modality: jsonText(row, TAG.Modality),
      seriesNumber: jsonNumber(row, TAG.SeriesNumber),
      seriesDescription: jsonText(row, TAG.SeriesDescription),
      instanceCount: jsonNumber(row, TAG.NumberOfSeriesRelatedInstances),
    },
  ];
}

function instanceSummary(row: DicomJson): InstanceSummary[] {
  const sopInstanceUid = jsonText(row, TAG.SOPInstanceUID);
  if (sopInstanceUid === undefined || !isHarmlessUid(sopInstanceUid)) return [];
  return [{ sopInstanceUid, sopClassUid: jsonText(row, TAG.SOPClassUID) }];
}
