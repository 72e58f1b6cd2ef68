import { createHash } from "node:crypto";
import { entryOfTag } from "#converters/dicom/index.ts";
import type { Archive, DicomJson, SeriesSummary } from "#server/dicomweb/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import type { SeriesFacts } from "./series-facts.ts";
import type { SeriesFinder } from "./series-finder.ts";

/** How many rows are asked for at once. */
const PAGE = 1000;

export interface CountedSeries {
  readonly series: SeriesRef;
  readonly instanceCount: number;
}

/** Every series of studies since a day (YYYYMMDD), page by page, `limit` at most. Throws as the archive does. */
export async function seriesSince(
  archive: Archive,
  day: string,
  limit: number,
  signal: AbortSignal,
): Promise<readonly CountedSeries[]> {
  const found = new Map<string, CountedSeries>();
  for (let offset = 0; found.size < limit; offset += PAGE) {
    const rows = await archive.searchSeries({ sinceDay: day, limit: PAGE, offset }, { signal });
    const before = found.size;
    for (const row of rows) {
      const id = idOf(row);
      if (id === undefined || found.has(id)) continue;
      const series = seriesOf(id);
      const instanceCount = row.instanceCount ?? (await archive.listInstances(series, { signal })).length;
      found.set(id, { series, instanceCount });
    }
    // Archives that know no paging answer the same again.
    if (rows.length === 0 || found.size === before) break;
  }
  return [...found.values()].slice(0, limit);
}

/** Finds series through DICOMweb alone. The archive does not tell when a series is complete: what is found counts as it. */
export function qidoFinder(archive: Archive, signal: AbortSignal): SeriesFinder {
  return {
    since: async (day, limit) =>
      (await seriesSince(archive, day, limit, signal)).map(({ series }) => resourceIdOf(series)),
    find: async (resourceId) => {
      const facts = await readQidoFacts(archive, seriesOf(resourceId), signal);
      return facts && { facts, isComplete: true };
    },
  };
}

export function resourceIdOf({ studyInstanceUid, seriesInstanceUid }: SeriesRef): string {
  return `${studyInstanceUid} ${seriesInstanceUid}`;
}

/** What rules ask of a series, from the metadata of its first instance; undefined where it is gone. */
export async function readQidoFacts(
  archive: Archive,
  series: SeriesRef,
  signal: AbortSignal,
): Promise<SeriesFacts | undefined> {
  const instances = [...(await archive.listInstances(series, { signal }))].sort();
  const [first] = instances;
  if (first === undefined) return undefined;
  const dataSet = await archive.instanceMetadata({ ...series, sopInstanceUid: first }, { signal });
  if (!dataSet) return undefined;
  const tags = tagsOf(dataSet);
  return {
    series,
    modality: tags.get("Modality")?.[0] ?? "",
    sliceCount: instances.length,
    instances: createHash("sha256").update(instances.join("\n")).digest("hex"),
    tags,
  };
}

function tagsOf(dataSet: DicomJson): ReadonlyMap<string, readonly string[]> {
  const tags = new Map<string, readonly string[]>();
  for (const [tag, { Value = [] }] of Object.entries(dataSet)) {
    const keyword = entryOfTag(Number.parseInt(tag, 16))?.keyword;
    const values = Value.flatMap((value) => textOf(value) ?? []);
    if (keyword !== undefined && values.length > 0) tags.set(keyword, values);
  }
  return tags;
}

/** Undefined for the items of sequences, and for nothing. A name is its alphabetic form, as Orthanc tells it. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  const text = typeof value === "object" && value !== null && "Alphabetic" in value ? value.Alphabetic : value;
  return typeof text === "string" && text.trim() !== "" ? text.trim() : undefined;
}

function idOf({ studyInstanceUid, seriesInstanceUid }: SeriesSummary): string | undefined {
  return studyInstanceUid && resourceIdOf({ studyInstanceUid, seriesInstanceUid });
}

function seriesOf(resourceId: string): SeriesRef {
  const [studyInstanceUid = "", seriesInstanceUid = ""] = resourceId.split(" ");
  return { studyInstanceUid, seriesInstanceUid };
}
