import { describe, expect, test, vi } from "vitest";
import { entriesOfStudy, initialState, type PanelState, withAskedAgain, withJobs } from "../src/state/panel-state.ts";
import { type Stage, stage } from "./fakes.ts";
import { failed, found, missing, problem, queued, running, seg, series, succeeded } from "./samples.ts";

const settled = (claim: () => void) => vi.waitFor(claim, { timeout: 2000, interval: 2 });

describe("asking", () => {
  test("the series in view is asked about, and each step of the answer is in the state", async () => {
    using play = stage();
    const { server, session, viewer } = play;
    const entry = () => entriesOfStudy(session.store.get())[0];
    const ended = session.segment(["left kidney"]);
    await settled(() => expect(entry()?.job.state).toBe("queued"));
    expect(server.submitted).toEqual([
      { merge: "exclusive", studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.4", prompts: ["left kidney"] },
    ]);
    server.tell({ type: "progress", stage: "fetch", fraction: 0.4, detail: "120/300" });
    await settled(() => expect(entry()?.job).toMatchObject({ state: "running", stage: "fetch", detail: "120/300" }));
    server.tell({ type: "finding", finding: found });
    await settled(() => expect(entry()?.job.findings).toEqual([found]));
    server.tell({ type: "state", job: succeeded });
    expect((await ended)?.state).toBe("succeeded");
    expect(entry()).toMatchObject({ overlay: { kind: "shown" } });
    expect(viewer.shown).toEqual([seg]);
    expect(viewer.jumps).toEqual([[1, 2, 3]]);
    expect(viewer.messages).toEqual(["left kidney: present, 0.97, 162 mL, 3 slices"]);
  });

  test("a question that was answered before is presented at once, whatever its job told in its time", async () => {
    using play = stage(
      ({ server }) => {
        server.tell({ type: "state", job: queued });
        server.tell({ type: "state", job: running });
        server.tell({ type: "progress", stage: "infer", fraction: 0.9 });
        server.tell({ type: "state", job: succeeded });
        server.answered = succeeded;
      },
      { preview: true },
    );
    const { server, session, viewer } = play;
    await settled(() => expect(viewer.shown).toEqual([seg]));
    for (let times = 1; times <= 2; times++) {
      expect(await session.segment(["left kidney"])).toEqual(succeeded);
      expect(entriesOfStudy(session.store.get())).toMatchObject([
        { job: succeeded, overlay: { kind: "shown" }, cancelling: false },
      ]);
      expect(viewer.shown).toEqual([seg]);
      expect([viewer.drawingsOpened, viewer.drawn]).toEqual([0, []]);
      expect(viewer.messages).toHaveLength(times);
    }
    expect(server.submitted).toHaveLength(2);
  });

  test("an answer that is asked for again comes before what was newer; the next question comes before it", () => {
    const at = (second: number) => `2026-01-01T10:00:0${second}.000Z`;
    const job = (id: string, second: number) => ({ ...succeeded, id, createdAt: at(second) });
    const ids = ({ entries }: PanelState) => entries.map((entry) => entry.job.id).join("");
    const first = withJobs(initialState, [job("a", 0), job("b", 1), job("c", 2)]);
    expect(ids(first)).toBe("cba");
    const second = withAskedAgain(first, "a");
    expect(ids(second)).toBe("acb");
    const third = withAskedAgain(second, "b");
    expect(ids(third)).toBe("bac");
    expect(ids(withJobs(third, [job("c", 2)]))).toBe("bac");
    expect(ids(withJobs(third, [job("d", 3)]))).toBe("dbac");
  });

  test("one that was answered before its study was opened, and hidden since, is shown again", async () => {
    using play = stage(({ server }) => {
      server.tell({ type: "state", job: succeeded });
      server.answered = succeeded;
    });
    const { session, viewer } = play;
    await settled(() => expect(viewer.shown).toEqual([seg]));
    session.hide("j1");
    expect(viewer.shown).toEqual([]);
    await session.segment(["left kidney"]);
    expect(viewer.shown).toEqual([seg]);
  });

  test("what is not found is said, and nothing is shown", async () => {
    using play = stage();
    const { server, session, viewer } = play;
    const ended = session.segment(["spleen"]);
    const { result: _nothing, ...rest } = succeeded;
    server.tell({ type: "state", job: { ...rest, findings: [missing] } });
    await ended;
    expect(viewer.shown).toEqual([]);
    expect(session.store.get().announcement).toBe("spleen: not found (0.08)");
  });

  test("a refusal stands in the state with the server's document, and goes with the next question", async () => {
    using play = stage();
    const { server, session } = play;
    server.refusing = true;
    expect(await session.segment(["x"])).toBeUndefined();
    expect(session.store.get().refusal).toEqual({ text: problem.detail, problem });
    server.refusing = false;
    void session.segment(["liver"]);
    await settled(() => expect(session.store.get()).not.toHaveProperty("refusal"));
  });

  test("a failed job tells what to do, on the screen and to the viewer", async () => {
    using play = stage();
    const { server, session, viewer } = play;
    const ended = session.segment(["left kidney"]);
    server.tell({ type: "state", job: failed });
    expect((await ended)?.problem?.code).toBe("unsupported-series");
    expect(viewer.messages).toEqual([`“left kidney”: ${problem.detail}`]);
  });

  test("without a series in view nothing is sent", async () => {
    using play = stage(({ viewer }) => viewer.look(undefined));
    expect(await play.session.segment(["liver"])).toBeUndefined();
    expect(play.server.submitted).toEqual([]);
    expect(play.session.store.get().refusal?.text).toMatch(/No series/);
  });

  test("cancelling ends the job, and its answer with it", async () => {
    using play = stage();
    const { server, session, viewer } = play;
    const ended = session.segment(["liver"]);
    await settled(() => expect(server.jobs.size).toBe(1));
    await session.cancel("j1");
    expect((await ended)?.state).toBe("cancelled");
    expect(viewer.shown).toEqual([]);
    expect(session.store.get().entries[0]).toMatchObject({ cancelling: false, job: { state: "cancelled" } });
  });
});

describe("coming back to a study", () => {
  test("its earlier jobs are there, what they found is shown once, and those of other studies are not", async () => {
    const other = { ...succeeded, id: "j8", request: { ...succeeded.request, studyInstanceUid: "9.9" } };
    using play = stage(({ server }) => {
      for (const job of [succeeded, { ...succeeded, id: "j7", createdAt: "2025-01-01T00:00:00.000Z" }, other]) {
        server.jobs.set(job.id, job);
      }
    });
    const { session, viewer } = play;
    await settled(() => expect(viewer.shown).toEqual([seg]));
    expect(session.store.get().entries.map(({ job }) => job.id)).toEqual(["j1", "j7"]);
  });

  test("a job that still runs is followed to its end", async () => {
    using play = stage(({ server }) => server.jobs.set("j1", running));
    const { server, session } = play;
    await settled(() => expect(session.store.get().entries).toHaveLength(1));
    server.tell({ type: "state", job: succeeded });
    await settled(() => expect(session.store.get().entries[0]?.job.state).toBe("succeeded"));
  });

  test("another series of the same study keeps the list; another study has its own", async () => {
    using play = stage(({ server }) => server.jobs.set("j1", succeeded));
    const { session, viewer } = play;
    const listed = () => entriesOfStudy(session.store.get()).length;
    await settled(() => expect(listed()).toBe(1));
    viewer.look({ ...series, seriesInstanceUid: "1.2.3.5" });
    expect(listed()).toBe(1);
    viewer.look({ ...series, studyInstanceUid: "9.9", seriesInstanceUid: "9.9.1" });
    expect(listed()).toBe(0);
  });
});

describe("a server that goes away", () => {
  test("is said at once, is waited for, and what was asked for meanwhile is caught up", async () => {
    using play = stage(({ server }) => {
      server.down = true;
      server.jobs.set("j1", succeeded);
    });
    const { server, session } = play;
    await settled(() => expect(session.store.get().server).toBe("unreachable"));
    expect(await session.segment(["liver"])).toBeUndefined();
    server.down = false;
    await settled(() => expect(session.store.get().server).toBe("reachable"));
    await settled(() => expect(session.store.get().entries).toHaveLength(1));
    expect(session.store.get().vocabularies.CT?.targets).not.toEqual([]);
    expect(session.store.get()).not.toHaveProperty("refusal");
  });

  test("in the middle of a job loses none of its events", async () => {
    using play = stage();
    const { server, session } = play;
    const ended = session.segment(["left kidney"]);
    await settled(() => expect(server.jobs.size).toBe(1));
    server.tell({ type: "progress", stage: "fetch", fraction: 0.4 });
    server.hangUp();
    server.down = true;
    server.hangUp();
    await settled(() => expect(session.store.get().server).toBe("unreachable"));
    server.tell({ type: "finding", finding: found });
    server.tell({ type: "state", job: succeeded });
    server.down = false;
    expect((await ended)?.state).toBe("succeeded");
    await settled(() => expect(session.store.get().server).toBe("reachable"));
  });
});

describe.each([
  [
    "a token that has run out",
    { ...problem, code: "unauthenticated", status: 401, detail: "A valid token is needed." },
  ],
  ["too many requests", { ...problem, code: "rate-limited", status: 429, retryable: true, detail: "Too many." }],
] as const)("%s", (_, refusal) => {
  const refusalOf = ({ session }: Stage) => session.store.get().refusal?.text;

  test("is named when a study is opened; when it is over, the study's jobs are there and it is not named any more", async () => {
    using play = stage(({ server }) => {
      server.refusal = refusal;
      server.jobs.set("j1", succeeded);
    });
    const { server, session } = play;
    await settled(() => expect(refusalOf(play)).toBe(refusal.detail));
    server.refusal = undefined;
    await settled(() => expect(session.store.get().entries).toHaveLength(1));
    await settled(() => expect(session.store.get()).not.toHaveProperty("refusal"));
    expect(session.store.get().vocabularies.CT?.targets).not.toEqual([]);
  });

  test("in the middle of a job loses neither it nor its end", async () => {
    using play = stage();
    const { server, session } = play;
    const ended = session.segment(["left kidney"]);
    await settled(() => expect(server.jobs.size).toBe(1));
    server.tell({ type: "progress", stage: "fetch", fraction: 0.4 });
    server.refusal = refusal;
    server.hangUp();
    await settled(() => expect(refusalOf(play)).toBe(refusal.detail));
    server.tell({ type: "state", job: succeeded });
    server.refusal = undefined;
    expect((await ended)?.state).toBe("succeeded");
    await settled(() => expect(session.store.get()).not.toHaveProperty("refusal"));
  });
});

describe("a result", () => {
  test("that cannot be shown is stored all the same, and can be tried again", async () => {
    using play = stage(({ server, viewer }) => {
      server.jobs.set("j1", succeeded);
      viewer.fails = true;
    });
    const { session, viewer } = play;
    const overlay = () => session.store.get().entries[0]?.overlay;
    await settled(() => expect(overlay()).toEqual({ kind: "failed", why: "no room" }));
    viewer.fails = false;
    await session.show("j1");
    expect(overlay()?.kind).toBe("shown");
    session.hide("j1");
    expect(overlay()?.kind).toBe("hidden");
    expect(viewer.shown).toEqual([]);
  });

  test("that two jobs share is hidden for both", async () => {
    using play = stage(({ server }) => {
      server.jobs.set("j1", succeeded);
      server.jobs.set("j2", { ...succeeded, id: "j2" });
    });
    const { session } = play;
    await settled(() => expect(session.store.get().entries).toHaveLength(2));
    await session.show("j1");
    await session.show("j2");
    session.hide("j2");
    expect(session.store.get().entries.map(({ overlay }) => overlay.kind)).toEqual(["hidden", "hidden"]);
  });
});

test("after the viewer was left nothing is asked and nothing changes", async () => {
  const play = stage(({ server }) => server.jobs.set("j1", { ...queued }));
  await settled(() => expect(play.session.store.get().entries).toHaveLength(1));
  play.session[Symbol.dispose]();
  const before = play.session.store.get();
  play.server.tell({ type: "state", job: succeeded });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(play.session.store.get()).toBe(before);
});
