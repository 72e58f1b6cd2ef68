import { mkdtemp, rm } from "node:fs/promises";
import { get, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ReviewView } from "#server/contract/index.ts";
import { StoreRejectedError } from "#server/domain/index.ts";
import { openProbabilityFiles } from "#server/probabilities/index.ts";
import { csvOf } from "../../server/cli/reviews.ts";
import { collect } from "../fixtures/collect.ts";
import { densityCard, skullJob, startTestServer } from "../fixtures/test-server.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "p3d-inter-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Started = Awaited<ReturnType<typeof startTestServer>>;

async function succeeded({ api }: Started, body: object = skullJob): Promise<string> {
  const { id } = await api.call("submitJob", { body });
  for await (const _ of api.events(id));
  return id;
}

test("jobs are listed by study", async () => {
  await using server = await startTestServer();
  const id = await succeeded(server);
  await succeeded(server, { ...skullJob, studyInstanceUid: "1.2.840.2" });
  const listed = await server.api.call("listJobs", { query: { studyInstanceUid: "1.2.840.1" } });
  expect(listed.jobs.map((job) => job.id)).toEqual([id]);
  const refused = await server.api.send("listJobs", { query: { studyInstanceUid: "no uid" } });
  expect(refused.status).toBe(400);
});

describe("a preview", () => {
  const slice = { promptId: "p1", sliceIndex: 4, slices: 9, rows: 2, columns: 3, runs: [1, 2, 3] };

  test("is told while the job runs, each slice as it is now, and is gone with the job", async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startTestServer({
      queue: {
        runner: async (_request, run) => {
          run.preview?.([slice, { ...slice, sliceIndex: 5 }]);
          run.preview?.([{ ...slice, runs: [0, 6] }]);
          await gate.promise;
          return { model: { name: "m", version: "1", title: "M", trained: false }, notes: [], seconds: {} };
        },
      },
    });
    const { id } = await server.api.call("submitJob", { body: { ...skullJob, preview: true } });
    const seen: unknown[] = [];
    let before = 0;
    for await (const event of server.api.events(id)) {
      if (event.type === "preview") {
        seen.push([event.sliceIndex, event.runs]);
        expect(event).toMatchObject({ promptId: "p1", slices: 9, rows: 2, columns: 3, id: before });
        if (seen.length === 2) gate.resolve();
      }
      before = event.id;
    }
    expect(seen).toEqual([
      [5, [1, 2, 3]],
      [4, [0, 6]],
    ]);
    const again: string[] = [];
    for await (const event of server.api.events(id)) again.push(event.type);
    expect(again).not.toContain("preview");
  });
});

/** fetch takes gzip whatever it is told, and unpacks it unseen. */
function raw(url: string, headers: Record<string, string>) {
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const asked = get(url, { headers }, async (response) => {
      const body = Buffer.concat(await collect(response as AsyncIterable<Buffer>));
      resolve({ status: response.statusCode, headers: response.headers, body });
    });
    asked.on("error", reject);
  });
}

describe("probabilities", () => {
  async function withKept(prompts: readonly string[] = ["p1"]) {
    const probabilities = openProbabilityFiles({ folder, maxBytes: 1e6, keepMs: 60_000 });
    const server = await startTestServer({ parts: { probabilities } });
    const keep = (jobId: string) =>
      probabilities.keep(jobId, {
        size: [2, 3, 4],
        merge: "exclusive",
        threshold: 0.5,
        card: densityCard,
        prompts: prompts.map((promptId) => ({
          prompt: { id: promptId, text: "skull" },
          score: 0.9,
          tracking: { id: "skull", uid: "2.25.1" },
          values: Uint8Array.from({ length: 24 }, (_, n) => n),
        })),
      });
    const id = await succeeded(server);
    await keep(id);
    return { server, id, keep, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }

  test("come gzipped, a byte a voxel, with the shape in headers", async () => {
    await using it = await withKept();
    const response = await it.server.api.send("readProbabilities", { params: { id: it.id, promptId: "p1" } });
    expect(response.headers.get("Content-Type")).toBe("application/octet-stream");
    expect(response.headers.get("Content-Encoding")).toBe("gzip");
    expect(response.headers.get("Vary")).toContain("Accept-Encoding");
    const shape = ["Columns", "Rows", "Slices", "Threshold"].map((name) => response.headers.get(`Parse3D-${name}`));
    expect(shape).toEqual(["2", "3", "4", "0.5"]);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual(Array.from({ length: 24 }, (_, n) => n));
  });

  test.each(["identity", "gzip;q=0", "br", ""])(
    "come as they are to a client that takes no gzip: Accept-Encoding %j",
    async (accepted) => {
      await using it = await withKept();
      const { status, headers, body } = await raw(
        `${it.server.url}/v1/jobs/${it.id}/probabilities/p1`,
        accepted === "" ? {} : { "Accept-Encoding": accepted },
      );
      expect([status, headers["content-encoding"], headers["content-length"]]).toEqual([200, undefined, "24"]);
      expect([...body]).toEqual(Array.from({ length: 24 }, (_, n) => n));
    },
  );

  test("of a prompt that was not asked, or not found, are not there, and the problem says which are", async () => {
    await using it = await withKept();
    const problem = (id: string, promptId: string) =>
      it.server.api.send("readProbabilities", { params: { id, promptId } }).then((response) => response.json());
    for (const promptId of ["p2", "..%2f..", "p1.gz"]) {
      expect(await problem(it.id, promptId)).toMatchObject({
        status: 404,
        detail: "The job has no prompt of that id: its prompts are p1.",
      });
    }
    const both = await succeeded(it.server, { ...skullJob, prompts: ["skull", "unicorn"] });
    expect((await problem(both, "p1")).detail).toContain("Ask again with keepProbabilities");
    await it.keep(both);
    expect((await problem(both, "p2")).detail).toMatch(/No probabilities of p2 .*Kept are those of p1\./);
  });

  test("that are not kept cannot be cut again, with what to do", async () => {
    await using it = await withKept();
    const other = await succeeded(it.server, { ...skullJob, prompts: ["lung"] });
    await expect(
      it.server.api.call("cutAgain", { params: { id: other }, body: { thresholds: { p1: 0.3 } } }),
    ).rejects.toMatchObject({ problem: { code: "not-found", detail: expect.stringContaining("keepProbabilities") } });
  });

  test("are cut again by a job of their own, which names the first", async () => {
    await using it = await withKept();
    const job = await it.server.api.call("cutAgain", { params: { id: it.id }, body: { thresholds: { p1: 0.35 } } });
    expect(job.request).toMatchObject({ kind: "series", recut: { jobId: it.id, thresholds: { p1: 0.35 } } });
    expect(it.server.runner.begun.at(-1)).toMatchObject({ recut: { of: { sopInstanceUid: "2.25.3" } } });
    for (const thresholds of [{}, { p1: 1.5 }, { skull: 0.3 }]) {
      const refused = await it.server.api.send("cutAgain", { params: { id: it.id }, body: { thresholds } });
      expect(refused.status).toBe(400);
    }
  });
});

describe("reviews", () => {
  const edits = [{ promptId: "p1", slices: [{ sliceIndex: 3, runs: [2, 4] }] }];
  const edited = {
    seg: {
      sopClassUid: "1.2.840.10008.5.1.4.1.1.66.4",
      sopInstanceUid: "2.25.9",
      seriesInstanceUid: "2.25.8",
      studyInstanceUid: "1.2.840.1",
    },
    dice: { p1: 0.9 },
    segmentNumbers: { p1: 1 },
  };

  test("are kept with what is needed to count them; a later one of the same person replaces the earlier", async () => {
    await using server = await startTestServer();
    const id = await succeeded(server, { ...skullJob, prompts: ["skull", "unicorn"] });
    await server.api.call("submitReview", { params: { id }, body: { verdict: "rejected", reason: "too small" } });
    const review = await server.api.call("submitReview", { params: { id }, body: { verdict: "accepted" } });
    expect(review).toMatchObject({ jobId: id, verdict: "accepted", mine: true, model: { name: "fake" } });
    expect(review).not.toHaveProperty("reason");
    expect(review.prompts.map(({ prompt, present, score }) => [prompt.text, present, score])).toEqual([
      ["skull", true, 0.97],
      ["unicorn", false, 0.08],
    ]);
    const { reviews } = await server.api.call("listReviews", { query: { studyInstanceUid: "1.2.840.1" } });
    expect(reviews).toEqual([review]);
    expect((await server.api.call("listReviews", { query: { verdict: "rejected" } })).reviews).toEqual([]);
  });

  test("of edits are stored by the thread that does so, with the model's SEG as their source", async () => {
    const asked: unknown[] = [];
    await using server = await startTestServer({
      parts: {
        tasks: async (kind, request) => {
          asked.push([kind, request]);
          return edited as never;
        },
      },
    });
    const id = await succeeded(server);
    const review = await server.api.call("submitReview", {
      params: { id },
      body: { verdict: "edited", segments: edits },
    });
    expect(asked).toMatchObject([
      ["edit", { of: { sopInstanceUid: "2.25.3" }, edited: edits, series: { seriesInstanceUid: "1.2.840.1.1" } }],
    ]);
    expect(review.seg).toEqual({
      studyInstanceUid: "1.2.840.1",
      seriesInstanceUid: "2.25.8",
      sopInstanceUid: "2.25.9",
    });
    expect(review.prompts[0]).toMatchObject({ dice: 0.9, segmentNumber: 1 });
  });

  test("whose edit cannot be stored are not kept", async () => {
    await using server = await startTestServer({
      parts: {
        tasks: async () => {
          throw new StoreRejectedError("The archive is read-only.");
        },
      },
    });
    const id = await succeeded(server);
    await expect(
      server.api.call("submitReview", { params: { id }, body: { verdict: "edited", segments: edits } }),
    ).rejects.toMatchObject({ problem: { code: "store-rejected" } });
    expect((await server.api.call("listReviews", {})).reviews).toEqual([]);
  });

  test.each([
    ["edited without masks", { verdict: "edited" }, 400],
    ["accepted with masks", { verdict: "accepted", segments: edits }, 400],
    ["a word that is no verdict", { verdict: "fine" }, 400],
    ["a prompt that was not asked", { verdict: "edited", segments: [{ promptId: "p9", slices: [] }] }, 409],
  ])("%s is refused", async (_, body, status) => {
    await using server = await startTestServer();
    const id = await succeeded(server);
    expect((await server.api.send("submitReview", { params: { id }, body })).status).toBe(status);
  });

  test("are of results: a job that runs has none, and another user's job is not there", async () => {
    await using server = await startTestServer();
    server.runner.hold();
    const { id } = await server.api.call("submitJob", { body: skullJob });
    const early = await server.api.send("submitReview", { params: { id }, body: { verdict: "accepted" } });
    expect(early.status).toBe(409);
    server.runner.release();
    const unknown = await server.api.send("submitReview", { params: { id: "other" }, body: { verdict: "accepted" } });
    expect(unknown.status).toBe(404);
  });

  test("are written as CSV, one line a prompt, in which a reason is neither a column nor a formula", () => {
    const review: ReviewView = {
      jobId: "j1",
      verdict: "rejected",
      reason: '=1+1, "quoted"',
      at: "2026-01-01T00:00:00.000Z",
      mine: true,
      studyInstanceUid: "1.2",
      seriesInstanceUid: "1.2.3",
      model: { name: "m", version: "1" },
      prompts: [
        { prompt: { id: "p1", text: "left kidney" }, present: true, score: 0.5, volumeMl: 12.5 },
        { prompt: { id: "p2", text: "spleen" }, present: false, score: null },
      ],
    };
    const [head, first, second] = csvOf([review]);
    expect(head?.split(",").slice(0, 4)).toEqual(["jobId", "at", "verdict", "reason"]);
    expect(first).toBe(
      `j1,2026-01-01T00:00:00.000Z,rejected,"'=1+1, ""quoted""",true,1.2,1.2.3,m,1,left kidney,true,0.5,12.5,,`,
    );
    expect(second).toMatch(/,spleen,false,,,,$/);
  });
});

describe("a picture", () => {
  test("is a PNG, made once; a job that stored nothing has none", async () => {
    let made = 0;
    await using server = await startTestServer({
      parts: {
        tasks: async () => {
          made += 1;
          return Uint8Array.of(137, 80, 78, 71) as never;
        },
      },
    });
    const id = await succeeded(server);
    for (let n = 0; n < 2; n++) {
      const response = await server.api.send("readPicture", { params: { id } });
      expect(response.headers.get("Content-Type")).toBe("image/png");
      expect((await response.arrayBuffer()).byteLength).toBe(4);
    }
    expect(made).toBe(1);
    server.runner.failWith(new StoreRejectedError("no"));
    const failed = await succeeded(server, { ...skullJob, prompts: ["lung"] });
    expect((await server.api.send("readPicture", { params: { id: failed } })).status).toBe(409);
  });
});
