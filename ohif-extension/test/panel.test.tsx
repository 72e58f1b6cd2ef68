import "./dom.ts";

import axe from "axe-core";
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Panel } from "../src/panel/panel.tsx";
import { readSettings } from "../src/settings.ts";
import type { PanelState } from "../src/state/panel-state.ts";
import type { Visit } from "../src/visit.ts";
import { document, window } from "./dom.ts";
import { type Stage, stage } from "./fakes.ts";
import { cancelled, failed, found, kept, missing, queued, reviewOf, running, succeeded } from "./samples.ts";

let root: Root | undefined;
let play: Stage | undefined;

afterEach(async () => {
  await act(async () => root?.unmount());
  play?.[Symbol.dispose]();
  document.body.replaceChildren();
});

/** The panel over a session between fakes, once its first questions are answered. */
async function shown(prepare: Parameters<typeof stage>[0] = () => {}): Promise<Stage> {
  play = stage(prepare);
  const { session } = play;
  const visit: Visit = {
    settings: readSettings({}),
    session,
    enter: () => {},
    leave: () => {},
    onChange: () => () => {},
  };
  const place = document.createElement("main");
  document.body.append(place);
  root = createRoot(place);
  await act(async () => root?.render(<Panel visit={visit} />));
  await act(async () => {
    await vi.waitFor(() => expect(session.store.get().server).not.toBe("unknown"));
  });
  return play;
}

const box = () => document.querySelector<HTMLInputElement>("[data-cy=parse3d-prompt]")!;
const text = () => {
  const copy = document.querySelector("section")?.cloneNode(true) as Element | undefined;
  copy?.querySelector("style")?.remove();
  return copy?.textContent ?? "";
};
const options = () => [...document.querySelectorAll("[role=option]")].map(({ firstChild }) => firstChild?.textContent);

/** React listens for the event, not for the property. */
async function type(words: string): Promise<void> {
  await act(async () => {
    Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value")?.set?.call(box(), words);
    box().setSelectionRange(words.length, words.length);
    box().dispatchEvent(new window.Event("input", { bubbles: true }));
  });
}

/** @returns whether the viewer is told of it */
async function press(key: string, on: () => HTMLElement = box): Promise<boolean> {
  const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  let reachedViewer = false;
  const listener = () => {
    reachedViewer = true;
  };
  document.body.addEventListener("keydown", listener);
  await act(async () => {
    on().dispatchEvent(event);
  });
  document.body.removeEventListener("keydown", listener);
  return reachedViewer;
}

/** What axe finds wrong, without what needs a layout: jsdom has none. */
async function violations(): Promise<readonly string[]> {
  const { violations, passes } = await axe.run(document.body, { rules: { "color-contrast": { enabled: false } } });
  expect(passes.length).toBeGreaterThan(10);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

describe("the prompt box", () => {
  test("completes with the arrows and Enter, asks with the next Enter, and keeps its keys from the viewer", async () => {
    const { server } = await shown();
    await type("left");
    expect(options()).toEqual(["left kidney"]);
    expect(await press("ArrowDown")).toBe(false);
    expect(box().getAttribute("aria-activedescendant")).toBe(document.querySelector("[role=option]")?.id);
    await press("Enter");
    expect(box().value).toBe("left kidney");
    expect(server.submitted).toEqual([]);
    await press("Enter");
    expect(server.submitted).toMatchObject([{ prompts: ["left kidney"] }]);
  });

  test("Escape closes the list and the prompt is asked as it was written", async () => {
    const { server } = await shown();
    await type("kid, li");
    await press("ArrowDown");
    await press("Escape");
    expect(options()).toEqual([]);
    await press("Enter");
    expect(server.submitted).toMatchObject([{ prompts: ["kid", "li"] }]);
  });

  test("what is not on the list is named", async () => {
    await shown();
    await type("liver, pancreas");
    expect(text()).toContain("Not on the recommended list: “pancreas”");
  });

  test("without a series it says what to do and takes no question", async () => {
    play = undefined;
    const { session } = stage(({ viewer }) => viewer.look(undefined));
    const visit = { settings: readSettings({}), session, enter() {}, leave() {}, onChange: () => () => {} };
    const place = document.createElement("main");
    document.body.append(place);
    root = createRoot(place);
    await act(async () => root?.render(<Panel visit={visit} />));
    await type("liver");
    expect(text()).toContain("No series in the active viewport");
    expect(document.querySelector<HTMLButtonElement>("[data-cy=parse3d-segment]")?.disabled).toBe(true);
    session[Symbol.dispose]();
  });
});

const noResult = (({ result: _result, ...job }) => job)(succeeded);

describe("what it says of a job", () => {
  test.each([
    ["one that runs", running, "left kidneysegmenting, slice 45/90Cancel"],
    ["one that waits", queued, "left kidneywaiting…Cancel"],
    ["one that found something", succeeded, "left kidney: present, 0.97, 162 mL, 3 slicesGo to12"],
    ["one that found nothing", { ...noResult, findings: [missing] }, "spleen: not found (0.08)"],
    ["one that failed", failed, "Slice 41 is missing. Send the whole series."],
    ["one that was cancelled", cancelled, "left kidney: cancelledTry again"],
  ])("%s, in words, and without a fault that axe finds", async (_, job, words) => {
    await shown(({ server }) => server.jobs.set(job.id, job));
    expect(text()).toContain(words);
    expect(text()).toContain("Research use only");
    expect(await violations()).toEqual([]);
  });

  test("an open list has no fault that axe finds either", async () => {
    await shown();
    await type("l");
    expect(options().length).toBeGreaterThan(1);
    expect(await violations()).toEqual([]);
  });

  test("the keys that press a button are not the viewer's, which would take them; others are", async () => {
    await shown(({ server }) => server.jobs.set("j1", succeeded));
    for (const name of ["go", "hide", "review-rejected", "recognise"]) {
      const button = () => document.querySelector<HTMLElement>(`[data-cy=parse3d-${name}]`)!;
      expect([await press("Enter", button), await press(" ", button)]).toEqual([false, false]);
      expect(await press("ArrowDown", button)).toBe(true);
    }
  });

  test("each piece of a finding is a click away", async () => {
    const { viewer } = await shown(({ server }) => server.jobs.set("j1", succeeded));
    const pieces = [...document.querySelectorAll<HTMLElement>(".p3d-pieces button")];
    expect(pieces.map((piece) => piece.getAttribute("aria-label"))).toEqual([
      "left kidney, piece 1: 150 mL",
      "left kidney, piece 2: 12 mL",
    ]);
    await act(async () => pieces[1]?.click());
    expect(viewer.jumps).toEqual([found.components[1]?.centroidLps]);
  });

  test("a slider cuts a finding whose probabilities are kept, and Save comes once it was moved", async () => {
    const { viewer } = await shown(({ server, viewer }) => {
      server.jobs.set("j1", kept);
      server.probabilities.set("p1", Uint8Array.of(10, 100, 140, 200));
      viewer.labels = Uint8Array.of(0, 0, 1, 1);
    });
    const slider = () => document.querySelector<HTMLInputElement>("[data-cy=parse3d-threshold]")!;
    await act(async () => vi.waitFor(() => expect(slider()).toBeDefined()));
    document.querySelector("[data-cy=parse3d-thresholds]")?.setAttribute("open", "");
    expect(slider().labels?.[0]?.textContent).toBe("Threshold of left kidney");
    expect(text()).not.toContain("Save as new SEG");
    await act(async () => {
      Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value")?.set?.call(slider(), "0.3");
      slider().dispatchEvent(new window.Event("input", { bubbles: true }));
      await vi.waitFor(() => expect([...viewer.labels]).toEqual([0, 1, 1, 1]));
    });
    expect(text()).toContain("0.30");
    expect(text()).toContain("Save as new SEG");
    expect(await violations()).toEqual([]);
  });

  test("a verdict is a click away, rejecting asks why, and the words of both stand there", async () => {
    const { server } = await shown(({ server }) => {
      server.jobs.set("j1", succeeded);
      server.jobs.set("j2", { ...succeeded, id: "j2", createdAt: "2025-12-31T10:00:00.000Z" });
      server.reviews.push(reviewOf("j2", { verdict: "edited" }, 0));
    });
    expect(text()).toContain("edited and stored, Dice 0.91");
    const button = (verdict: string) =>
      document.querySelector<HTMLButtonElement>(`[data-cy=parse3d-review-${verdict}]`)!;
    await act(async () => button("accepted").click());
    expect(server.given).toEqual([{ verdict: "accepted" }]);
    expect(button("accepted").getAttribute("aria-pressed")).toBe("true");
    await act(async () => button("rejected").click());
    expect(await violations()).toEqual([]);
    const reason = document.querySelector<HTMLInputElement>("[data-cy=parse3d-reason]")!;
    await act(async () => {
      Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value")?.set?.call(reason, "wrong side");
      reason.dispatchEvent(new window.Event("input", { bubbles: true }));
    });
    await act(async () => document.querySelector<HTMLElement>("[data-cy=parse3d-confirm-reject]")?.click());
    expect(server.given.at(-1)).toEqual({ verdict: "rejected", reason: "wrong side" });
    expect(text()).toContain("rejected: wrong side");
  });

  test("slices with a gap in them: a button beside the reason asks again with them resampled, and the answer says so", async () => {
    const { server, session } = await shown(({ server }) => server.jobs.set("j0", { ...failed, id: "j0" }));
    const button = () => document.querySelector<HTMLButtonElement>("[data-cy=parse3d-resample]")!;
    expect(text()).toContain("Slice 41 is missing. Send the whole series.");
    expect(button().textContent).toBe("Resample and segment");
    expect(button().getAttribute("aria-label")).toBe("Resample and segment “left kidney”");
    expect(await violations()).toEqual([]);
    button().focus();
    expect(document.activeElement).toBe(button());
    await act(async () => button().click());
    expect(server.submitted).toMatchObject([{ prompts: ["left kidney"], resample: true }]);
    const note = "The voxels were interpolated onto a regular grid of 64x56x26.";
    await act(async () => {
      const result = { ...succeeded.result!, notes: [note] };
      const request = { ...succeeded.request, resample: true } as typeof succeeded.request;
      server.tell({ type: "state", job: { ...succeeded, id: "j1", request, result } });
      await vi.waitFor(() => expect(session.store.get().announcement).toContain("0.97"));
    });
    const notes = document.querySelector("[data-cy=parse3d-notes]")!;
    expect(notes.hasAttribute("open")).toBe(true);
    expect(notes.textContent).toContain(note);
    expect(await violations()).toEqual([]);
  });

  test("the answer tells its model, that it is not for commerce, its licence and what it is for", async () => {
    const model = {
      ...succeeded.result!.model,
      licence: "CC-BY-NC-SA-4.0",
      nonCommercial: true,
      intendedUse: "Research only.",
    };
    await shown(({ server }) => server.jobs.set("j1", { ...succeeded, result: { ...succeeded.result!, model } }));
    await vi.waitFor(() => expect(document.querySelector("[data-cy=parse3d-model]")).not.toBeNull());
    const told = document.querySelector("[data-cy=parse3d-model]")!;
    expect(told.querySelector("summary")?.textContent).toBe("CT density rules 1.0.0: no commercial use");
    expect(told.textContent).toContain("Licence: CC-BY-NC-SA-4.0.Research only.");
    expect((await axe.run(document.body)).violations).toEqual([]);
  });

  test("what stands answered is computed anew where somebody asks for that, and told as before where not", async () => {
    const { server, session } = await shown(({ server }) => server.jobs.set("j0", { ...succeeded, id: "j0" }));
    await act(async () =>
      vi.waitFor(() => expect(document.querySelector("[data-cy=parse3d-ask-anew]")).not.toBeNull()),
    );
    const button = document.querySelector<HTMLButtonElement>("[data-cy=parse3d-ask-anew]")!;
    expect(button.getAttribute("aria-label")).toBe("Ask anew for “left kidney”");
    await act(async () => button.click());
    expect(server.submitted).toMatchObject([{ prompts: ["left kidney"], force: true }]);
    expect(session.store.get().announcement).toBe("Segmenting “left kidney”");
    server.answered = { ...succeeded, id: "j0" };
    const told: string[] = [];
    session.store.subscribe(() => told.push(session.store.get().announcement));
    await act(async () => void (await session.segment(["left kidney"])));
    expect(server.submitted[1]).not.toHaveProperty("force");
    expect(told).toContain("“left kidney”: answered before");
  });

  test("while a result is loaded again its button stays, with the focus, and is pressed once", async () => {
    const { viewer } = await shown(({ server }) => server.jobs.set("j1", succeeded));
    const button = () => document.querySelector<HTMLButtonElement>("[data-cy=parse3d-hide], [data-cy=parse3d-show]")!;
    await act(async () => vi.waitFor(() => expect(viewer.shown).toHaveLength(1)));
    button().focus();
    await act(async () => button().click());
    expect(viewer.shown).toEqual([]);
    const { promise, resolve } = Promise.withResolvers<void>();
    viewer.loading = promise;
    await act(async () => button().click());
    expect(button().getAttribute("aria-disabled")).toBe("true");
    expect(document.activeElement).toBe(button());
    expect(await violations()).toEqual([]);
    await act(async () => button().click());
    await act(async () => resolve());
    expect(viewer.shown).toHaveLength(1);
    expect(button().textContent).toBe("Hide");
    expect(document.activeElement).toBe(button());
  });

  test("an error's page is told with its code", async () => {
    await shown(({ server }) => server.jobs.set("j1", failed));
    expect(document.querySelector("[data-cy=parse3d-problem] a")?.getAttribute("href")).toBe(
      "/parse3d-api/docs#problem-unsupported-series",
    );
  });
});

test("what happens is told to a screen reader in a live region", async () => {
  const { server, session } = await shown();
  await act(async () => {
    void session.segment(["left kidney"]);
    await vi.waitFor(() => expect(server.jobs.size).toBe(1));
    server.tell({ type: "finding", finding: found });
    await vi.waitFor(() => expect(session.store.get().announcement).toContain("0.97"));
  });
  expect(document.querySelector("[role=status][aria-live=polite]")?.textContent).toBe(
    "left kidney: present, 0.97, 162 mL, 3 slices",
  );
});

test("the state outlives the panel: closed and opened again, it shows the same", async () => {
  const { session } = await shown(({ server }) => server.jobs.set("j1", running));
  await type("liver");
  const before: PanelState = session.store.get();
  await act(async () => root?.unmount());
  const visit = { settings: readSettings({}), session, enter() {}, leave() {}, onChange: () => () => {} };
  root = createRoot(document.querySelector("main")!);
  await act(async () => root?.render(<Panel visit={visit} />));
  expect(session.store.get()).toBe(before);
  expect(box().value).toBe("liver");
  expect(text()).toContain("segmenting, slice 45/90");
});
