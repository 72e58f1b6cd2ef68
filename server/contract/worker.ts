import { z } from "zod";

/** A process that does jobs, as it last told. */
export const WorkerView = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  startedAt: z.iso.datetime(),
  seenAt: z.iso.datetime().describe("Its last heartbeat"),
  concurrency: z.int().min(1).describe("Jobs that it runs at the same time at most"),
  running: z.int().min(0).describe("Jobs that it runs now"),
  holdsBack: z.string().optional().describe("Why it takes no job now"),
  device: z.object({
    executionProvider: z.string().describe("Where networks are to be computed: auto, cpu, cuda"),
    cpus: z.int(),
    memoryBytes: z.int(),
    gpus: z.array(z.string()),
  }),
  models: z.array(z.string()).describe("Names of the models that it answers with"),
});

export const WorkerList = z.object({ workers: z.array(WorkerView) });
