import { expect, test } from "vitest";
import { startFaultyPacs } from "../fixtures/faulty-pacs.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startWholeService } from "../fixtures/whole-service.ts";

const ct = syntheticCt(4, 16);

test.each([
  ["is down", async () => undefined, { code: "pacs-unavailable", retryable: true }],
  [
    "answers 401",
    () => startFaultyPacs(ct.instances(), { searchSeries: (_, response) => response.writeHead(401).end() }),
    { code: "pacs-unavailable", retryable: false },
  ],
  [
    "answers with a web page",
    () =>
      startFaultyPacs(ct.instances(), {
        searchSeries: (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in"),
      }),
    { code: "pacs-unavailable" },
  ],
  [
    "never answers",
    () => startFaultyPacs(ct.instances(), { searchSeries: () => {} }),
    { code: "pacs-timeout", retryable: true },
  ],
  [
    "refuses the result",
    () => startFaultyPacs(ct.instances(), { store: (_, response) => response.writeHead(413).end() }),
    { code: "store-rejected" },
  ],
])("where the archive %s, the job fails with a clear problem and the server goes on", async (_, startPacs, problem) => {
  await using pacs = await startPacs();
  await using service = await startWholeService({
    PARSE3D_DICOMWEB_URL: pacs?.url ?? "http://127.0.0.1:9/dicom-web",
    PARSE3D_DICOMWEB_ANSWER_TIMEOUT_SECONDS: "0.5",
  });
  const job = await service.job(ct.series, ["bone"]);
  expect(job).toMatchObject({ state: "failed", problem });
  expect(job.problem?.detail?.length).toBeGreaterThan(20);
  expect(JSON.stringify(job.problem)).not.toContain(ct.series.seriesInstanceUid);
  expect((await service.api.call("health")).status).toBe("alive");
});
