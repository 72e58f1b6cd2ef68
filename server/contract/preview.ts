import { z } from "zod";

const count = z.int().min(1);

/**
 * A mask of one slice as run lengths: pixels outside, then pixels inside, and so on in turn, row by row, columns fastest;
 * the first run is of pixels outside, and may be 0. Together they are rows x columns.
 */
export const MaskRuns = z
  .array(z.int().min(0))
  .describe("Lengths of runs outside and inside the mask in turn, row by row; the first is outside, and may be 0");

/** One prompt on one slice that is finished while the job goes on. */
export const previewFields = {
  promptId: z.string(),
  sliceIndex: z.int().min(0).describe("Counted from 0 along the normal"),
  slices: count.describe("How many there are"),
  rows: count,
  columns: count,
  runs: MaskRuns,
};
