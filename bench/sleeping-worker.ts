import { setTimeout as sleep } from "node:timers/promises";
import { migrate, openServerDatabase } from "#server/database/index.ts";
import { PostgresJobQueue } from "#server/jobs/index.ts";
import { createLogger } from "../server/logger.ts";

/**
 * A machine that shares a database, whose network does nothing but take its time: `sleeping-worker.ts URL MS`. It says
 * "ready" on standard output, and works until it is ended.
 */
const [, , url = "", ms = "0"] = process.argv;
const logger = createLogger({ level: "error" });
const db = openServerDatabase({ url, logger });
await migrate(db);
const queue = await PostgresJobQueue.open({
  db,
  logger,
  runner: async (_request, { signal }) => {
    await sleep(Number(ms), undefined, { signal });
    return { model: { name: "sleep", version: "1", title: "Sleep", trained: false }, notes: [], seconds: {} };
  },
});
process.stdout.write("ready\n");
process.once("SIGTERM", async () => {
  await queue[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
});
