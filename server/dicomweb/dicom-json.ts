import { z } from "zod";
import type { PacsUnavailableError } from "../domain/errors.ts";
import { notDicomweb } from "./pacs-fault.ts";
import type { WholeAnswer } from "./transport.ts";

/** One data set of the DICOM JSON Model (PS3.18 annex F.2): keys are tags, 8 upper-case hex digits. */
export interface DicomJson {
  readonly [tag: string]: DicomJsonElement;
}

export interface DicomJsonElement {
  readonly vr?: string | undefined;
  /** Items of sequences are data sets; null is an empty value among others. */
  readonly Value?: readonly unknown[] | undefined;
  readonly BulkDataURI?: string | undefined;
  readonly InlineBinary?: string | undefined;
}

const DataSets = z.array(
  z.record(
    z.string().regex(/^[0-9A-F]{8}$/),
    z.object({
      vr: z.string().optional(),
      Value: z.array(z.unknown()).optional(),
      BulkDataURI: z.string().optional(),
      InlineBinary: z.string().optional(),
    }),
  ),
);

/** @throws PacsUnavailableError that says what came instead */
export function parseDataSets({ status, contentType, bytes }: WholeAnswer): readonly DicomJson[] {
  if (status === 204 || bytes.length === 0) return [];
  const { data } = DataSets.safeParse(parseJson(bytes));
  if (!data) throw notDicomweb(contentType, status) satisfies PacsUnavailableError;
  return data;
}

/** As `parseDataSets`, for the one data set that answers a STOW-RS request; undefined where it is none. */
export function parseDataSet({ bytes }: WholeAnswer): DicomJson | undefined {
  const value = parseJson(bytes);
  return DataSets.safeParse(Array.isArray(value) ? value : [value]).data?.[0];
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** The first value of a text element; empty and absent are the same. */
export function jsonText(dataSet: DicomJson, tag: string): string | undefined {
  const value = dataSet[tag]?.Value?.[0];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** All text values. */
export function jsonTexts(dataSet: DicomJson, tag: string): readonly string[] {
  return (dataSet[tag]?.Value ?? []).filter((value) => typeof value === "string");
}

/** The first value of a numeric element; some archives write IS, DS and US as text. */
export function jsonNumber(dataSet: DicomJson, tag: string): number | undefined {
  const value = dataSet[tag]?.Value?.[0];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** The items of a sequence. */
export function jsonItems(dataSet: DicomJson, tag: string): readonly DicomJson[] {
  return DataSets.safeParse(dataSet[tag]?.Value).data ?? [];
}
