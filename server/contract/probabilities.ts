import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";

const Fraction = z.number().min(0).max(1);

/** Of which prompts probabilities are there to be cut again, and for how long. */
export const KeptView = z.object({
  prompts: z.array(z.string()).describe("p1, p2, ...: of GET /v1/jobs/:id/probabilities/:promptId"),
  threshold: Fraction.describe("What the stored masks were cut at: a voxel belongs to the mask above it"),
  until: z.iso.datetime().describe("From then on they are gone; they may go earlier where newer ones need the room"),
});
export type KeptView = DeepReadonly<z.infer<typeof KeptView>>;

/** Asks for a new SEG from the probabilities of an earlier job. */
export const CutAgain = z.strictObject({
  thresholds: z
    .record(z.string().regex(/^p\d{1,2}$/), Fraction)
    .refine((given) => Object.keys(given).length > 0, "names no prompt")
    .describe('By prompt, like {"p1": 0.35}; those left out keep the job\'s own'),
});
export type CutAgain = DeepReadonly<z.input<typeof CutAgain>>;

/** Which earlier job's probabilities a job cuts, and where. */
export const RecutView = z.object({ jobId: z.string(), thresholds: z.record(z.string(), Fraction) });
