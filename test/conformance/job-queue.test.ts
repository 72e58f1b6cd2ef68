import { describe } from "vitest";
import { MemoryJobQueue } from "#server/jobs/index.ts";
import { jobQueueSuite } from "../fixtures/job-queue-suite.ts";
import { createLogReader } from "../fixtures/log-reader.ts";

describe("jobs in memory", () => {
  jobQueueSuite(async (runner, limits) => new MemoryJobQueue({ runner, logger: createLogReader().logger, ...limits }));
});
