import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { migrate, openServerDatabase } from "#server/database/index.ts";
import { type JobRequest, PostgresJobQueue } from "#server/jobs/index.ts";
import { removeSuperseded } from "../../server/remove-superseded.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { describeWithPostgres, startTestPostgres } from "../fixtures/test-postgres.ts";

const { logger } = createLogReader();
const never = new AbortController().signal;

/** An Orthanc that knows these instances, by UID, and takes removals. */
async function startOrthancWith(uids: readonly string[]) {
  const held = new Set(uids);
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const uid = request.url?.split("/").at(-1) ?? "";
    if (request.url === "/tools/lookup") {
      response.end(JSON.stringify(held.has(body) ? [{ ID: body, Type: "Instance", Path: "" }] : []));
    } else if (request.method === "DELETE" && request.url?.startsWith("/instances/")) {
      response.statusCode = held.delete(uid) ? 200 : 404;
      response.end("{}");
    } else response.writeHead(400).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    held,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function ask(text: string, series = "1.2.3.4"): JobRequest {
  return {
    kind: "series",
    series: { studyInstanceUid: "1.2.3", seriesInstanceUid: series },
    prompts: [{ id: "p1", text }],
    merge: "exclusive",
    outputs: ["seg"],
  };
}

describeWithPostgres("a rule's result that a late instance makes obsolete", () => {
  test("is removed from the archive, and nothing else is: not another question's, series' or rule's, not a person's, not a reviewed one", async () => {
    await using postgres = await startTestPostgres();
    await using db = openServerDatabase({ url: await postgres.newDatabase(), logger });
    await migrate(db);
    let uid = "";
    await using queue = await PostgresJobQueue.open({
      db,
      logger,
      pollMs: 30,
      runner: async () => {
        const seg = { studyInstanceUid: "1.2.3", seriesInstanceUid: uid, sopInstanceUid: uid, sopClassUid: "1" };
        return { seg, model: { name: "f", version: "1", title: "F", trained: false }, notes: [], seconds: {} };
      },
    });
    /** @returns the UID of what was stored */
    async function answer(to: JobRequest, as: string, ruleId?: string): Promise<string> {
      uid = as;
      const from = { owner: "routing", requestId: "r", priority: "routed", force: true } as const;
      const { id } = await queue.submit(to, { ...from, ...(ruleId !== undefined && { ruleId }) });
      for await (const _event of queue.events(id, { signal: never }));
      return id;
    }

    await answer(ask("bone"), "2.25.1", "chest");
    await answer(ask("lung"), "2.25.2", "chest");
    await answer(ask("bone", "1.2.3.5"), "2.25.3", "chest");
    await answer(ask("bone"), "2.25.4", "head");
    await answer(ask("bone"), "2.25.5");
    const reviewed = await answer(ask("fat"), "2.25.6", "chest");
    await db.query(
      `insert into parse3d.reviews (job_id, job_owner, reviewer, verdict, reviewed_at, study_instance_uid,
         series_instance_uid, model, prompts) values ($1, 'o', 'r', 'accepted', now(), '1', '1', '{}', '[]')`,
      [reviewed],
    );
    // The same instances give the same UID: nothing is obsolete.
    await answer(ask("lung"), "2.25.2", "chest");
    await answer(ask("bone"), "2.25.11", "chest");
    await answer(ask("fat"), "2.25.16", "chest");

    const all = ["2.25.1", "2.25.2", "2.25.3", "2.25.4", "2.25.5", "2.25.6", "2.25.11", "2.25.16"];
    await using orthanc = await startOrthancWith(all);
    using _removal = removeSuperseded({ db, logger, orthancUrl: orthanc.url, headers: {}, pollMs: 20 });
    await eventually(async () =>
      expect(
        await db.query("select sop_instance_uid as uid from parse3d.stored_instances where removed_at is not null"),
      ).toEqual([{ uid: "2.25.1" }]),
    );
    expect([...orthanc.held]).toEqual(all.slice(1));
  });
});
