import { parquetWriteBuffer } from "hyparquet-writer";
import { csvOf } from "../csv.ts";
import { type Column, columnsOf } from "./columns.ts";
import type { Row } from "./row.ts";

/** One line a series (RFC 4180), in the order given. */
export function toCsv(rows: readonly Row[], prompts: readonly string[]): string {
  const columns = columnsOf(prompts);
  return csvOf([columns.map(({ name }) => name), ...rows.map((row) => columns.map(({ of }) => of(row)))]);
}

/** The same table as Parquet: every column may be null, whole numbers are INT64, times are UTC in milliseconds. */
export function toParquet(rows: readonly Row[], prompts: readonly string[]): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: columnsOf(prompts).map((column) => ({
        name: column.name,
        type: parquetTypes[column.type],
        nullable: true,
        data: rows.map((row) => parquetCell(column, row)),
      })),
      createdBy: "Parse3D (research use only)",
    }),
  );
}

const parquetTypes = {
  text: "STRING",
  whole: "INT64",
  real: "DOUBLE",
  truth: "BOOLEAN",
  time: "TIMESTAMP",
} as const satisfies Record<Column["type"], string>;

function parquetCell({ type, of }: Column, row: Row): unknown {
  const value = of(row) ?? null;
  if (value === null) return null;
  if (type === "whole") return BigInt(value);
  return type === "time" ? new Date(String(value)) : value;
}
