import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { columnsOf } from "../../server/cohort/columns.ts";
import type { Row } from "../../server/cohort/row.ts";
import { toCsv, toParquet } from "../../server/cohort/tables.ts";
import { ensureEnvironment, programOf, pythonEnvironment } from "../fixtures/python-environment.ts";

/** Apache's own implementation. */
const environment = pythonEnvironment("venv-parquet", ["--no-deps", "pyarrow==26.0.1"]);
const missing = ensureEnvironment(environment);
if (missing !== undefined) console.warn(`\n*** PARQUET IS NOT READ BACK BY PYARROW: ${missing} ***\n`);

const folder = mkdtempSync(join(tmpdir(), "parse3d-parquet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface ReadTable {
  readonly rows: number;
  readonly columns: readonly { name: string; type: string; nullable: boolean; values: readonly unknown[] }[];
}

function readByPyarrow(parquet: Uint8Array): ReadTable {
  const file = join(folder, "table.parquet");
  writeFileSync(file, parquet);
  const script = join(import.meta.dirname, "../fixtures/read_parquet.py");
  const { status, stdout, stderr } = spawnSync(programOf(environment, "python"), [script, file], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr.slice(-2000));
  return JSON.parse(stdout) as ReadTable;
}

const prompts = ['left "kidney", 左腎', "unicorn"];
const done = {
  subject: "0a1b2c3d4e5f",
  session: "5f4e3d2c1b0a",
  studyInstanceUid: "1.2.3",
  seriesInstanceUid: "1.2.3.4",
  modality: "CT",
  status: "done",
  instances: 40,
  size: [512, 512, 40],
  spacingMm: [0.7, 0.7, 1.25],
  originLps: [-180.25, 12.5, 1e-3],
  directionsLps: [1, 0, 0, 0, 0.8, -0.6, 0, 0.6, 0.8],
  frameOfReferenceUid: "1.2.3.5",
  findings: [
    {
      prompt: { id: "p1", text: prompts[0]! },
      present: true,
      score: 0.123456789,
      volumeMl: 162.25,
      voxels: 5_000_000_000,
    },
    { prompt: { id: "p2", text: prompts[1]! }, present: false, score: null, voxels: 0 },
  ],
  segSopInstanceUid: "2.25.1",
  segSeriesInstanceUid: "2.25.2",
  model: "density-ct",
  modelVersion: "1.0.0",
  modelSha256: "ab".repeat(32),
  parse3d: "0.1.0",
  seconds: 1.5,
  finishedAt: "2026-01-02T03:04:05.678Z",
  notes: ["=1+1", "two\r\nlines"],
} satisfies Row;
const failed = {
  subject: "0a1b2c3d4e5f",
  session: "000000000000",
  studyInstanceUid: "1.2.9",
  seriesInstanceUid: "1.2.9.9",
  modality: "",
  status: "failed",
  code: "series-not-found",
  retryable: false,
  findings: [],
  parse3d: "0.1.0",
  finishedAt: "2026-01-02T03:04:06.000Z",
  notes: [],
} satisfies Row;

describe.skipIf(missing !== undefined)("a cohort's table as Parquet, read by pyarrow", () => {
  test("has the columns of the CSV with their types, and the very values, null where nothing is known", () => {
    const table = readByPyarrow(toParquet([done, failed], prompts));
    const header = columnsOf(prompts).map(({ name }) => name);
    expect(table.rows).toBe(2);
    expect(table.columns.map(({ name }) => name)).toEqual(header);
    expect(table.columns.filter(({ nullable }) => !nullable)).toEqual([]);
    const of = (name: string) => {
      const column = table.columns.find((one) => one.name === name);
      return [column?.type, ...(column?.values ?? [])];
    };
    expect(of("series_instance_uid")).toEqual(["string", "1.2.3.4", "1.2.9.9"]);
    expect(of("instances")).toEqual(["int64", 40, null]);
    expect(of("origin_x_mm")).toEqual(["double", -180.25, null]);
    expect(of("direction_jz")).toEqual(["double", -0.6, null]);
    expect(of(`${prompts[0]}: present`)).toEqual(["bool", true, null]);
    expect(of(`${prompts[0]}: score`)).toEqual(["double", 0.123456789, null]);
    expect(of(`${prompts[0]}: voxels`)).toEqual(["int64", 5_000_000_000, null]);
    expect(of("unicorn: score")).toEqual(["double", null, null]);
    expect(of("unicorn: volume_ml")).toEqual(["double", 0, null]);
    expect(of("problem_code")).toEqual(["string", null, "series-not-found"]);
    const [type, ...times] = of("finished_at");
    expect(type).toMatch(/^timestamp\[ms/);
    expect(times.map((time) => Date.parse(String(time).replace(/(Z|\+00:00)?$/, "Z")))).toEqual(
      [done, failed].map(({ finishedAt }) => Date.parse(finishedAt)),
    );
    // Only a spreadsheet would take it for a formula.
    expect(of("notes")).toEqual(["string", "=1+1 two\r\nlines", ""]);
    expect(toCsv([done], prompts)).toContain(`"'=1+1 two\r\nlines"`);
  });

  test("of no series at all is a table with columns", () => {
    const { rows, columns } = readByPyarrow(toParquet([], prompts));
    expect([rows, columns.length]).toEqual([0, columnsOf(prompts).length]);
  });

  test("of many series has a row for each", () => {
    const many = Array.from({ length: 3000 }, (_, n) => ({ ...done, seriesInstanceUid: `1.2.3.${n}` }));
    const { columns } = readByPyarrow(toParquet(many, prompts));
    expect(columns.find(({ name }) => name === "series_instance_uid")?.values).toEqual(
      many.map(({ seriesInstanceUid }) => seriesInstanceUid),
    );
  });
});
