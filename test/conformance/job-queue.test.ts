import { afterAll, beforeAll, describe } from "vitest";
import { type Database, openEmbeddedDatabase, openServerDatabase } from "#server/database/index.ts";
import { MemoryJobQueue, PostgresJobQueue } from "#server/jobs/index.ts";
import { jobQueueSuite } from "../fixtures/job-queue-suite.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import {
  describeWithPostgres,
  resetDatabase,
  startTestPostgres,
  type TestPostgres,
} from "../fixtures/test-postgres.ts";

const { logger } = createLogReader();

describe("jobs in memory", () => {
  jobQueueSuite(async (runner, limits) => new MemoryJobQueue({ runner, logger, ...limits }), { durable: false });
});

describe("jobs in an embedded PostgreSQL", () => {
  let db: Database;
  beforeAll(async () => {
    db = await openEmbeddedDatabase();
  });
  afterAll(() => db?.[Symbol.asyncDispose]());
  jobQueueSuite(
    async (runner, limits) => {
      await resetDatabase(db);
      return PostgresJobQueue.open({ db, runner, logger, pollMs: 30, progressMs: 20, ...limits });
    },
    { durable: true },
  );
});

describeWithPostgres("jobs in a PostgreSQL server", () => {
  let postgres: TestPostgres;
  let db: Database;
  beforeAll(async () => {
    postgres = await startTestPostgres();
    db = openServerDatabase({ url: await postgres.newDatabase(), logger });
  });
  afterAll(async () => {
    await db?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });
  jobQueueSuite(
    async (runner, limits) => {
      await resetDatabase(db);
      return PostgresJobQueue.open({ db, runner, logger, pollMs: 30, progressMs: 20, ...limits });
    },
    { durable: true },
  );
});
