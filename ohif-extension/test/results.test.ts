import { describe, expect, test, vi } from "vitest";
import { labelsCutAt } from "../src/state/cut-labels.ts";
import { mayResample } from "../src/state/panel-state.ts";
import { stage } from "./fakes.ts";
import { failed, found, kept, queued, reviewOf, running, seg, succeeded } from "./samples.ts";

const settled = (claim: () => void) => vi.waitFor(claim, { timeout: 2000, interval: 2 });

describe("history", () => {
  test("asks the server for the study's own jobs, and puts the newest verdict to each", async () => {
    using play = stage(({ server }) => {
      server.jobs.set("j1", succeeded);
      server.reviews.push(reviewOf("j1", { verdict: "rejected" }, 1), reviewOf("j1", { verdict: "accepted" }, 2));
    });
    const { server, session } = play;
    await settled(() => expect(session.store.get().entries[0]?.review?.verdict).toBe("accepted"));
    expect(server.queries).toContainEqual({ limit: "100", studyInstanceUid: "1.2.3" });
  });

  test("what was rejected, or was stored again at another threshold, is not shown by itself", async () => {
    const other = { ...seg, sopInstanceUid: "1.2.3.9.7" };
    const cut = {
      ...succeeded,
      id: "j2",
      createdAt: "2026-01-01T10:01:00.000Z",
      request: { ...succeeded.request, recut: { jobId: "j1", thresholds: { p1: 0.3 } } },
      result: { ...succeeded.result!, seg: other },
    } as typeof succeeded;
    const bad = {
      ...succeeded,
      id: "j3",
      result: { ...succeeded.result!, seg: { ...seg, sopInstanceUid: "1.2.3.9.8" } },
    };
    using play = stage(({ server }) => {
      for (const job of [succeeded, cut, bad]) server.jobs.set(job.id, job);
      server.reviews.push(reviewOf("j3", { verdict: "rejected" }, 1));
    });
    await settled(() => expect(play.viewer.shown).toEqual([other]));
  });

  test("a job that was left running is presented when it ends", async () => {
    using play = stage(({ server }) => server.jobs.set("j1", running));
    const { server, session, viewer } = play;
    await settled(() => expect(session.store.get().entries).toHaveLength(1));
    server.tell({ type: "state", job: succeeded });
    await settled(() => expect(viewer.shown).toEqual([seg]));
  });
});

describe("a preview", () => {
  const slice = { promptId: "p1", sliceIndex: 3, slices: 9, rows: 2, columns: 2, runs: [1, 3] };
  const asking = { preview: true, keepProbabilities: true, merge: "exclusive" } as const;

  test("is asked for with the slice in view first, and drawn as it comes; the stored SEG takes its place", async () => {
    using play = stage(({ viewer }) => {
      viewer.slice = 17;
    }, asking);
    const { server, session, viewer } = play;
    const ended = session.segment(["left kidney"]);
    await settled(() => expect(server.jobs.size).toBe(1));
    expect(server.submitted[0]).toMatchObject({ preview: true, keepProbabilities: true, fromSlice: 17 });
    server.tell({ type: "preview", ...slice } as never);
    await settled(() => expect(viewer.drawn).toMatchObject([slice]));
    expect(session.store.get().entries[0]?.drawn).toBe(true);
    server.tell({ type: "state", job: succeeded });
    await ended;
    await settled(() => expect(viewer.drawn.at(-1)).toBe("removed"));
    expect(viewer.shown).toEqual([seg]);
    expect(session.store.get().entries[0]?.drawn).toBe(false);
  });

  test("is made ready once, when its job begins to run", async () => {
    using play = stage(() => {}, asking);
    const { server, session, viewer } = play;
    void session.segment(["left kidney"]);
    await settled(() => expect(server.jobs.size).toBe(1));
    expect(viewer.drawingsOpened).toBe(0);
    server.tell({ type: "state", job: running });
    await settled(() => expect(viewer.drawingsOpened).toBe(1));
    server.tell({ type: "preview", ...slice } as never);
    await settled(() => expect(viewer.drawn).toHaveLength(1));
    expect(viewer.drawingsOpened).toBe(1);
  });

  test.each([
    ["fails", failed],
    ["is cancelled", { ...queued, state: "cancelled" as const }],
  ])("of a job that %s vanishes", async (_, job) => {
    using play = stage(() => {}, asking);
    const { server, session, viewer } = play;
    const ended = session.segment(["left kidney"]);
    await settled(() => expect(server.jobs.size).toBe(1));
    server.tell({ type: "preview", ...slice } as never);
    await settled(() => expect(viewer.drawn).toHaveLength(1));
    server.tell({ type: "state", job });
    await ended;
    await settled(() => expect(viewer.drawn.at(-1)).toBe("removed"));
    expect(viewer.shown).toEqual([]);
  });
});

describe("thresholds", () => {
  const withKept = () =>
    stage(({ server, viewer }) => {
      server.jobs.set("j1", kept);
      server.probabilities.set("p1", Uint8Array.of(10, 100, 140, 200));
      viewer.labels = Uint8Array.of(0, 0, 1, 1);
    });

  test("cut the shown mask anew, there and back, and count its voxels", async () => {
    using play = withKept();
    const { session, viewer } = play;
    await settled(() => expect(session.store.get().entries[0]?.overlay.kind).toBe("shown"));
    await session.setThreshold("j1", "p1", 0.3);
    expect([...viewer.labels]).toEqual([0, 1, 1, 1]);
    expect(session.store.get().entries[0]?.cutVoxels).toEqual({ p1: 3 });
    await session.setThreshold("j1", "p1", 0.7);
    expect([...viewer.labels]).toEqual([0, 0, 0, 1]);
    await session.resetThresholds("j1");
    expect([...viewer.labels]).toEqual([0, 0, 1, 1]);
    expect(session.store.get().entries[0]).not.toHaveProperty("thresholds");
  });

  test("that are saved come as a job of their own, whose SEG takes the place of the first", async () => {
    using play = withKept();
    const { server, session, viewer } = play;
    await settled(() => expect(viewer.shown).toEqual([seg]));
    await session.setThreshold("j1", "p1", 0.3);
    const saved = session.saveThresholds("j1");
    await settled(() => expect(server.recuts).toEqual([{ thresholds: { p1: 0.3 } }]));
    const other = { ...seg, sopInstanceUid: "1.2.3.9.5" };
    const job = server.jobs.get("cut of j1")!;
    server.tell({
      type: "state",
      job: { ...succeeded, ...job, state: "succeeded", result: { ...succeeded.result!, seg: other } },
    });
    expect((await saved)?.state).toBe("succeeded");
    expect(viewer.shown).toEqual([other]);
    // The first one's own labels are as they were, for when it is shown again.
    expect([...viewer.labels]).toEqual([0, 0, 1, 1]);
  });

  test("on a segmentation of another shape are refused in words", async () => {
    using play = withKept();
    const { session, viewer } = play;
    await settled(() => expect(viewer.shown).toEqual([seg]));
    viewer.labels = new Uint8Array(9);
    await session.setThreshold("j1", "p1", 0.3);
    expect(session.store.get().refusal?.text).toMatch(/does not lie on the slices/);
  });

  test("leave the voxels of segments whose probabilities are not kept, and give shared ones to the larger", () => {
    const counts = new Map<number, number>();
    const labels = Uint8Array.of(3, 1, 0, 2);
    const cut = labelsCutAt(
      [
        { segmentNumber: 1, values: Uint8Array.of(200, 200, 150, 180), threshold: 0.5 },
        { segmentNumber: 2, values: Uint8Array.of(0, 210, 150, 100), threshold: 0.5 },
      ],
      { columns: 2, rows: 2, slices: 1 },
      counts,
    );
    expect(cut(0, labels)).toBe(true);
    expect([...labels]).toEqual([3, 2, 1, 1]);
    expect([...counts]).toEqual([
      [1, 2],
      [2, 1],
    ]);
    expect(cut(0, labels)).toBe(false);
  });
});

describe("a review", () => {
  test("is sent, told, and stands with its job", async () => {
    using play = stage(({ server }) => server.jobs.set("j1", succeeded));
    const { server, session } = play;
    await settled(() => expect(session.store.get().entries[0]?.overlay.kind).toBe("shown"));
    await session.review("j1", "rejected", "wrong side");
    expect(server.given).toEqual([{ verdict: "rejected", reason: "wrong side" }]);
    const state = session.store.get();
    expect(state.entries[0]?.review).toMatchObject({ verdict: "rejected", reason: "wrong side" });
    expect(state.announcement).toBe("rejected");
  });

  test("of edits sends the masks as the viewer has them, and what was stored is shown instead", async () => {
    using play = stage(({ server, viewer }) => {
      server.jobs.set("j1", succeeded);
      viewer.runs = [{ segmentNumber: 1, slices: [{ sliceIndex: 4, runs: [2, 2] }] }];
    });
    const { server, session, viewer } = play;
    await settled(() => expect(viewer.shown).toEqual([seg]));
    await session.review("j1", "edited");
    expect(server.given).toEqual([
      { verdict: "edited", segments: [{ promptId: "p1", slices: [{ sliceIndex: 4, runs: [2, 2] }] }] },
    ]);
    expect(viewer.shown).toEqual([{ ...seg, sopInstanceUid: "1.2.3.9.2" }]);
  });

  test("of edits that cannot be read, or that are not shown, is refused before it is sent", async () => {
    using play = stage(({ server, viewer }) => {
      server.jobs.set("j1", succeeded);
      viewer.runs = undefined;
    });
    const { server, session, viewer } = play;
    await settled(() => expect(viewer.shown).toEqual([seg]));
    await session.review("j1", "edited");
    expect(session.store.get().refusal?.text).toMatch(/overlap/);
    session.hide("j1");
    await session.review("j1", "edited");
    expect(session.store.get().refusal?.text).toMatch(/Show the result first/);
    expect(server.given).toEqual([]);
  });
});

describe("slices that are no regular grid", () => {
  test.each(["missing-slice", "non-uniform-spacing", "gantry-tilt"])(
    "refused for %s, they are put onto one when asked to",
    async (reason) => {
      const refused = { ...failed, problem: { ...failed.problem!, details: { reason } } };
      using play = stage(({ server }) => server.jobs.set("j0", { ...refused, id: "j0" }), { preview: true });
      const { server, session, viewer } = play;
      await settled(() => expect(session.store.get().entries).toHaveLength(1));
      expect(mayResample(session.store.get().entries[0]!.job)).toBe(true);
      viewer.slice = 3;
      void session.askAgain("j0", { resample: true });
      await settled(() => expect(server.submitted).toHaveLength(1));
      expect(server.submitted[0]).toMatchObject({
        prompts: ["left kidney"],
        resample: true,
        preview: true,
        // Counted on the images, whatever grid they are put onto.
        fromSlice: 3,
      });
    },
  );

  test("what was resampled is so when it is tried again, and is not offered to be a second time", async () => {
    const again = { ...failed, request: { ...failed.request, resample: true } } as typeof failed;
    using play = stage(({ server }) => server.jobs.set("j1", again));
    const { server, session } = play;
    await settled(() => expect(session.store.get().entries).toHaveLength(1));
    expect(mayResample(again)).toBe(false);
    void session.askAgain("j1");
    await settled(() => expect(server.submitted).toMatchObject([{ resample: true }]));
  });

  test("no other refusal offers it", () => {
    for (const reason of ["several-volumes", "mixed-orientation", "duplicate-position", undefined]) {
      expect(mayResample({ ...failed, problem: { ...failed.problem!, details: { reason } } })).toBe(false);
    }
    expect(mayResample({ ...failed, problem: { ...failed.problem!, code: "pacs-timeout" } })).toBe(false);
  });
});

test("what is in the image is asked without a prompt", async () => {
  using play = stage();
  const { server, session } = play;
  const ended = session.recognise();
  await settled(() => expect(server.submitted).toHaveLength(1));
  expect(server.submitted[0]).toMatchObject({ recognise: true });
  expect(server.submitted[0]).not.toHaveProperty("prompts");
  server.tell({ type: "state", job: { ...succeeded, findings: [found] } });
  expect((await ended)?.state).toBe("succeeded");
});
