import { decodeSeg, segToLabelVolume } from "#converters/dicom/index.ts";
import { DomainError } from "#converters/errors.ts";
import { column, normalize, type VolumeGeometry, voxelSizeMm } from "#converters/geometry/index.ts";
import { writeNifti } from "#converters/nifti/index.ts";
import type { Archive } from "#server/dicomweb/index.ts";
import { type Ports, type SeriesRef, segmentSeries } from "#server/domain/index.ts";
import { writeLabelMap } from "../hashed-folder.ts";
import type { CohortFolder } from "./cohort-folder.ts";
import type { ReadPlan } from "./plan.ts";
import type { Row } from "./row.ts";
import { toCsv, toParquet } from "./tables.ts";
import { watchedPorts } from "./watched-ports.ts";

export interface CohortParts {
  readonly ports: Ports;
  readonly archive: Pick<Archive, "searchSeries">;
  readonly folder: CohortFolder;
  /** Of this program, for the table. */
  readonly version: string;
}

export interface CohortOptions {
  readonly signal: AbortSignal;
  /** Series at the same time. */
  readonly concurrency: number;
  /** Series that are worked on in this run; absent: all. */
  readonly limit?: number;
  /** The table as Parquet as well. */
  readonly parquet?: boolean;
  onProgress(done: number, failed: number, total: number): void;
}

export interface CohortSummary {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Not begun yet: a limit, or a stop, came before. */
  readonly left: number;
}

interface Wanted extends SeriesRef {
  readonly patientId: string;
  readonly modality: string;
}

/** The table, within the folder. */
export const TABLE = "cohort.csv";
export const PARQUET_TABLE = "cohort.parquet";

/**
 * Works through the plan's series. What was done before is not done again; what failed in a way that may pass is. The table
 * is written whenever this ends, also by an abort.
 * @throws what the archive throws when it is asked which series there are; the signal's reason
 */
export async function runCohort(parts: CohortParts, read: ReadPlan, options: CohortOptions): Promise<CohortSummary> {
  const { folder } = parts;
  const { signal, concurrency, limit = Number.POSITIVE_INFINITY } = options;
  const wanted = await seriesOf(parts, read, signal);
  const ended = new Map((await folder.rows()).map((row) => [row.seriesInstanceUid, row]));
  const open = wanted.filter((one) => !isOver(ended.get(one.seriesInstanceUid))).slice(0, limit);
  const tell = () => {
    const rows = wanted.flatMap(({ seriesInstanceUid }) => ended.get(seriesInstanceUid) ?? []);
    const failed = rows.filter(({ status }) => status === "failed").length;
    options.onProgress(rows.length - failed, failed, wanted.length);
    return { total: wanted.length, done: rows.length - failed, failed, left: wanted.length - rows.length };
  };
  tell();
  const work = async () => {
    for (let one = open.shift(); one && !signal.aborted; one = open.shift()) {
      const row = await rowOf(parts, read, one, signal);
      signal.throwIfAborted();
      await folder.put(row);
      ended.set(one.seriesInstanceUid, row);
      tell();
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
    signal.throwIfAborted();
    return tell();
  } finally {
    const order = new Map(wanted.map(({ seriesInstanceUid }, n) => [seriesInstanceUid, n]));
    const rows = (await folder.rows())
      .filter(({ seriesInstanceUid }) => order.has(seriesInstanceUid))
      .sort((a, b) => order.get(a.seriesInstanceUid)! - order.get(b.seriesInstanceUid)!);
    const prompts = read.prompts.map(({ text }) => text);
    await folder.write(TABLE, toCsv(rows, prompts));
    if (options.parquet) await folder.write(PARQUET_TABLE, toParquet(rows, prompts));
  }
}

function isOver(row: Row | undefined): boolean {
  return row !== undefined && !(row.status === "failed" && row.retryable);
}

interface Asked {
  readonly studyInstanceUid?: string | undefined;
  readonly seriesInstanceUid?: string | undefined;
  readonly patientId?: string | undefined;
  readonly modality?: string | undefined;
  readonly sinceDay?: string | undefined;
}

/** Each series once, in the order of the plan, or of their UIDs where the archive was asked. */
async function seriesOf(
  { archive }: CohortParts,
  { plan: { series, query } }: ReadPlan,
  signal: AbortSignal,
): Promise<readonly Wanted[]> {
  const found = new Map<string, Wanted>();
  const add = async (asking: Asked) => {
    const { studyInstanceUid: study, seriesInstanceUid: series, patientId, modality: shown, sinceDay } = asking;
    const asked = {
      ...(sinceDay !== undefined && { sinceDay }),
      ...(study !== undefined && { studyInstanceUid: study }),
      ...(series !== undefined && { seriesInstanceUid: series }),
      ...(patientId !== undefined && { patientId }),
      ...(shown !== undefined && { modality: shown }),
    };
    for (const one of await archive.searchSeries(asked, { signal })) {
      const { studyInstanceUid, seriesInstanceUid, patientId = "", modality = "" } = one;
      if (studyInstanceUid === undefined || derived.has(modality)) continue;
      found.set(seriesInstanceUid, { studyInstanceUid, seriesInstanceUid, patientId, modality });
    }
  };
  for (const one of series ?? []) {
    await add(one);
    // One that the archive does not know stays: its row says so.
    if (!found.has(one.seriesInstanceUid)) {
      const studyInstanceUid = ("studyInstanceUid" in one ? one.studyInstanceUid : undefined) ?? one.seriesInstanceUid;
      found.set(one.seriesInstanceUid, { ...one, studyInstanceUid, patientId: "", modality: "" });
    }
  }
  if (query) await add(query);
  const all = [...found.values()];
  return query ? all.sort((a, b) => (a.seriesInstanceUid < b.seriesInstanceUid ? -1 : 1)) : all;
}

/** What never is a question's subject. */
const derived: ReadonlySet<string> = new Set(["SEG", "SR", "RTSTRUCT", "PR", "KO", "OT", "DOC"]);

/** Works on one series; what goes wrong with it becomes its row. @throws the signal's reason */
async function rowOf(parts: CohortParts, read: ReadPlan, one: Wanted, signal: AbortSignal): Promise<Row> {
  const { folder, version } = parts;
  const { plan, prompts } = read;
  const subject = folder.nameOf(`patient ${one.patientId}`);
  const session = folder.nameOf(one.studyInstanceUid);
  const { studyInstanceUid, seriesInstanceUid, modality } = one;
  const common = { subject, session, studyInstanceUid, seriesInstanceUid, modality, parse3d: version };
  const { ports, seen } = watchedPorts(parts.ports, { keeps: plan.outputs.includes("seg") });
  const startedAt = performance.now();
  try {
    const { findings, seg, model, notes } = await segmentSeries(
      ports,
      {
        series: { studyInstanceUid, seriesInstanceUid },
        prompts,
        merge: plan.merge,
        ...(plan.model && { model: plan.model }),
      },
      { signal, progress: () => {}, note: () => {}, finding: () => {} },
    );
    const nifti = plan.outputs.includes("nifti") ? await writeMasks(folder, seen.stored, common) : undefined;
    return {
      ...common,
      status: "done",
      ...(seen.instances !== undefined && { instances: seen.instances }),
      ...(seen.geometry && gridOf(seen.geometry)),
      findings: findings.map(({ prompt, present, score, voxels, volumeMl }) => ({
        prompt,
        present,
        score,
        voxels,
        ...(volumeMl !== undefined && { volumeMl }),
      })),
      ...(seg &&
        plan.outputs.includes("seg") && {
          segSopInstanceUid: seg.sopInstanceUid,
          segSeriesInstanceUid: seg.seriesInstanceUid,
        }),
      ...(nifti !== undefined && { nifti }),
      model: model.name,
      modelVersion: model.version,
      ...(seen.card && { modelSha256: seen.card.sha256 }),
      seconds: Math.round(performance.now() - startedAt) / 1000,
      finishedAt: ports.now().toISOString(),
      notes,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DomainError)) throw error;
    const { code, message: problem, retryable } = error;
    const finishedAt = ports.now().toISOString();
    return { ...common, status: "failed", code, problem, retryable, findings: [], finishedAt, notes: [problem] };
  }
}

function gridOf({ size, ijkToLps, frameOfReferenceUid }: VolumeGeometry) {
  const originLps = column(ijkToLps, 3);
  const directionsLps = ([0, 1, 2] as const).flatMap((axis) => normalize(column(ijkToLps, axis)));
  return { size, spacingMm: voxelSizeMm(ijkToLps), originLps, directionsLps, frameOfReferenceUid };
}

/** The masks as one label map, value n for segment n, named as BIDS derivatives are. @returns its path in the folder */
async function writeMasks(
  folder: CohortFolder,
  stored: readonly Uint8Array[],
  { subject, session, seriesInstanceUid }: Pick<Row, "subject" | "session" | "seriesInstanceUid">,
): Promise<string | undefined> {
  const [part10] = stored;
  if (!part10) return undefined;
  const { volume, labels } = segToLabelVolume(decodeSeg(part10));
  const acquisition = folder.nameOf(seriesInstanceUid);
  return writeLabelMap(folder, { subject, session, acquisition, nifti: writeNifti(volume, { gzip: true }), labels });
}
