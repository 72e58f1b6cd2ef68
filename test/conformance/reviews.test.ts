import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, openEmbeddedDatabase } from "#server/database/index.ts";
import { memoryReviews, postgresReviews, type Review, type ReviewStore } from "#server/reviews/index.ts";
import { resetDatabase } from "../fixtures/test-postgres.ts";

function review(changes: Partial<Review> = {}): Review {
  return {
    jobId: "j1",
    jobOwner: "alice",
    reviewer: "alice",
    verdict: "accepted",
    at: new Date("2026-01-01T10:00:00Z"),
    studyInstanceUid: "1.2",
    seriesInstanceUid: "1.2.3",
    model: { name: "m", version: "1" },
    prompts: [{ prompt: { id: "p1", text: "left kidney" }, present: true, score: 0.9, volumeMl: 12.5 }],
    ...changes,
  };
}

const later = (minute: number) => new Date(`2026-01-01T10:${String(minute).padStart(2, "0")}:00Z`);
const edited: Partial<Review> = {
  verdict: "edited",
  seg: {
    sopClassUid: "1.2.840.10008.5.1.4.1.1.66.4",
    sopInstanceUid: "2.25.9",
    studyInstanceUid: "1.2",
    seriesInstanceUid: "2.25.8",
  },
  prompts: [{ prompt: { id: "p1", text: "left kidney" }, present: true, score: null, dice: 0.91, segmentNumber: 1 }],
};

/** What every ReviewStore does, wherever it keeps them. */
function reviewStoreSuite(open: () => Promise<ReviewStore>): void {
  let store: ReviewStore;
  beforeEach(async () => {
    store = await open();
  });
  const list = (query: Partial<Parameters<ReviewStore["list"]>[0]> = {}) =>
    store.list({ jobOwners: ["alice"], limit: 9, ...query });

  test("what was given comes back whole", async () => {
    for (const one of [review(), review({ jobId: "j2", at: later(1), reason: 'too "small"', ...edited })]) {
      await store.put(one);
      expect((await list())[0]).toEqual(one);
    }
  });

  test("those of one job are listed apart from those of others", async () => {
    await store.put(review());
    await store.put(review({ jobId: "j2", at: later(1) }));
    await store.put(review({ reviewer: "bob", verdict: "rejected", at: later(2) }));
    expect((await list({ jobId: "j1" })).map(({ reviewer }) => reviewer)).toEqual(["bob", "alice"]);
    expect(await list({ jobId: "j3" })).toEqual([]);
  });

  test("a later verdict of the same person on the same job takes the place of the earlier, and comes first", async () => {
    await store.put(review({ reason: "odd", verdict: "rejected" }));
    await store.put(review({ jobId: "j2", at: later(1) }));
    await store.put(review({ at: later(2) }));
    await store.put(review({ reviewer: "bob", at: later(3) }));
    expect((await list()).map(({ jobId, reviewer, verdict }) => [jobId, reviewer, verdict])).toEqual([
      ["j1", "bob", "accepted"],
      ["j1", "alice", "accepted"],
      ["j2", "alice", "accepted"],
    ]);
    expect((await list())[1]).not.toHaveProperty("reason");
  });

  test("are listed by whose jobs they are about, by study and by verdict, as many as asked for", async () => {
    await store.put(review());
    await store.put(review({ jobId: "j2", jobOwner: "bob", at: later(1) }));
    await store.put(review({ jobId: "j3", studyInstanceUid: "9.9", at: later(2) }));
    await store.put(review({ jobId: "j4", verdict: "rejected", at: later(3) }));
    const ids = async (query: Parameters<typeof list>[0]) => (await list(query)).map(({ jobId }) => jobId);
    expect(await ids({})).toEqual(["j4", "j3", "j1"]);
    expect(await ids({ jobOwners: ["alice", "bob"], limit: 2 })).toEqual(["j4", "j3"]);
    expect(await ids({ studyInstanceUid: "9.9" })).toEqual(["j3"]);
    expect(await ids({ verdict: "rejected" })).toEqual(["j4"]);
  });
}

describe("reviews in memory", () => {
  reviewStoreSuite(async () => memoryReviews());

  test("are bounded: the oldest go", async () => {
    const store = memoryReviews({ most: 2 });
    for (const jobId of ["j1", "j2", "j3"]) await store.put(review({ jobId }));
    expect((await store.list({ jobOwners: ["alice"], limit: 9 })).map(({ jobId }) => jobId)).toEqual(["j3", "j2"]);
  });
});

describe("reviews in an embedded PostgreSQL", () => {
  let db: Database;
  beforeAll(async () => {
    db = await openEmbeddedDatabase();
  });
  afterAll(() => db?.[Symbol.asyncDispose]());
  reviewStoreSuite(async () => {
    await resetDatabase(db);
    return postgresReviews(db);
  });

  test("an edited SEG is remembered as our own, so that no rule takes it for a new image", async () => {
    await resetDatabase(db);
    await postgresReviews(db).put(review(edited));
    const rows = await db.query("select sop_instance_uid from parse3d.stored_instances");
    expect(rows).toEqual([{ sop_instance_uid: "2.25.9" }]);
  });
});
