import { z } from "zod";

/** A unique identifier: numbers without leading zeros, joined by dots, at most 64 characters (PS3.5 section 9.1). */
export const Uid = z
  .string()
  .max(64)
  .regex(/^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/, "not a DICOM UID (PS3.5 section 9.1)")
  .describe("A DICOM UID (PS3.5 section 9.1)");
