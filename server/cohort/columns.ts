import type { Row } from "./row.ts";

/** One column of the table, whichever file it is written to. A "time" is ISO 8601. */
export interface Column {
  readonly name: string;
  readonly type: "text" | "whole" | "real" | "truth" | "time";
  /** Undefined where nothing is known. */
  of(row: Row): string | number | boolean | null | undefined;
}

/** Who and what, how it ended, the grid, four columns a prompt, and what it was made by. */
export function columnsOf(prompts: readonly string[]): readonly Column[] {
  const axes = ["i", "j", "k"] as const;
  const world = ["x", "y", "z"] as const;
  return [
    column("subject", "text", (row) => row.subject),
    column("session", "text", (row) => row.session),
    column("study_instance_uid", "text", (row) => row.studyInstanceUid),
    column("series_instance_uid", "text", (row) => row.seriesInstanceUid),
    column("modality", "text", (row) => row.modality),
    column("status", "text", (row) => row.status),
    column("problem_code", "text", (row) => row.code),
    column("instances", "whole", (row) => row.instances),
    ...axes.map((axis, n) => column(`size_${axis}`, "whole", (row) => row.size?.[n])),
    ...axes.map((axis, n) => column(`spacing_${axis}_mm`, "real", (row) => row.spacingMm?.[n])),
    ...world.map((axis, n) => column(`origin_${axis}_mm`, "real", (row) => row.originLps?.[n])),
    ...axes.flatMap((along, a) =>
      world.map((axis, n) => column(`direction_${along}${axis}`, "real", (row) => row.directionsLps?.[3 * a + n])),
    ),
    column("frame_of_reference_uid", "text", (row) => row.frameOfReferenceUid),
    ...prompts.flatMap(columnsOfPrompt),
    column("seg_sop_instance_uid", "text", (row) => row.segSopInstanceUid),
    column("seg_series_instance_uid", "text", (row) => row.segSeriesInstanceUid),
    column("nifti", "text", (row) => row.nifti),
    column("model", "text", (row) => row.model),
    column("model_version", "text", (row) => row.modelVersion),
    column("model_sha256", "text", (row) => row.modelSha256),
    column("parse3d_version", "text", (row) => row.parse3d),
    column("seconds", "real", (row) => row.seconds),
    column("finished_at", "time", (row) => row.finishedAt),
    column("notes", "text", (row) => row.notes.join(" ")),
  ];
}

function columnsOfPrompt(text: string): readonly Column[] {
  const found = (row: Row) => row.findings.find(({ prompt }) => prompt.text === text);
  return [
    column(`${text}: present`, "truth", (row) => found(row)?.present),
    column(`${text}: score`, "real", (row) => found(row)?.score),
    column(`${text}: volume_ml`, "real", (row) => found(row)?.volumeMl ?? (found(row) && 0)),
    column(`${text}: voxels`, "whole", (row) => found(row)?.voxels),
  ];
}

function column(name: string, type: Column["type"], of: Column["of"]): Column {
  return { name, type, of };
}
