export type CsvCell = string | number | boolean | null | undefined;

/** A table as RFC 4180 has it. */
export function csvOf(lines: readonly (readonly CsvCell[])[]): string {
  return lines.map((cells) => `${cells.map(cellOf).join(",")}\r\n`).join("");
}

/** A cell that begins as a formula does would be one in a spreadsheet: an apostrophe keeps it text. */
function cellOf(value: CsvCell): string {
  const text = value === undefined || value === null ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
