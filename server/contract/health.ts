import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";

export const HealthView = z.object({ status: z.literal("alive"), version: z.string() });

const Check = z.object({ ok: z.boolean(), why: z.string().optional().describe("Why not, or what there is") });

/** Whether jobs would succeed now, part by part. */
export const ReadyView = z.object({ ready: z.boolean(), checks: z.record(z.string(), Check) });
export type ReadyView = DeepReadonly<z.infer<typeof ReadyView>>;
