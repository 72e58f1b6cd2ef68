import type { JobView, SubmitJob } from "#server/contract/index.ts";
import type { ApiClient } from "../api/api-client.ts";
import { ApiProblemError, ServerUnreachableError } from "../api/errors.ts";
import { followJob, hasEnded } from "../api/follow-job.ts";
import { findingLine, quoted, type Texts } from "../texts.ts";
import {
  type ActiveSeries,
  afterEvent,
  entriesOfStudy,
  initialState,
  type PanelState,
  withEntry,
  withJobs,
} from "./panel-state.ts";
import { createStore, type Store } from "./store.ts";

export interface StoredSeg {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** What the session wants of the viewer. */
export interface ViewerPort {
  activeSeries(): ActiveSeries | undefined;
  /** @returns ends the subscription */
  onSeriesChange(listener: () => void): () => void;
  /** Puts a stored SEG into every viewport that shows its series. @returns what the viewer knows it by */
  showSeg(seg: StoredSeg, signal: AbortSignal): Promise<string>;
  hideSeg(segmentationId: string): void;
  /** Moves all viewports that show the series to a point, mm in LPS. */
  jumpTo(series: Pick<ActiveSeries, "seriesInstanceUid">, pointLps: readonly [number, number, number]): void;
  notify(message: string, kind: "success" | "error"): void;
}

export interface SessionParts {
  readonly api: ApiClient;
  readonly viewer: ViewerPort;
  readonly texts: Texts;
  /** What is asked of the server beside series and prompts. */
  readonly options: Pick<SubmitJob, "model" | "merge">;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Prompts, jobs and results of one visit to the viewer. Outlives the panel; ends with the mode. */
export interface Session extends Disposable {
  readonly store: Store<PanelState>;
  setDraft(text: string): void;
  /** @returns the job as it ended; undefined where it was not taken or is not known any more: the state tells why */
  segment(prompts: readonly string[], series?: ActiveSeries): Promise<JobView | undefined>;
  cancel(jobId: string): Promise<void>;
  show(jobId: string): Promise<void>;
  hide(jobId: string): void;
  jumpTo(jobId: string, pointLps: readonly [number, number, number]): void;
}

/** Results that a study's page shows by itself when it is opened. */
const SHOWN_ON_OPENING = 4;
const HISTORY = 200;
const HEALTH_MS = 2000;

export function createSession(parts: SessionParts): Session {
  const { api, viewer, texts, wait } = parts;
  const store = createStore<PanelState>(initialState);
  const closing = new AbortController();
  const { signal } = closing;
  const followed = new Map<string, Promise<JobView>>();
  const asked = new Set<string>();
  let waitingForServer = false;

  const entry = (jobId: string) => store.get().entries.find(({ job }) => job.id === jobId);
  const announce = (announcement: string) => store.update((state) => ({ ...state, announcement }));

  function lostServer(): void {
    if (waitingForServer || signal.aborted) return;
    waitingForServer = true;
    store.update((state) => ({ ...state, server: "unreachable", announcement: texts.unreachable }));
    inBackground(async () => {
      for (;;) {
        await wait(HEALTH_MS, signal);
        const alive = await api.call("health", { signal }).then(
          () => true,
          () => false,
        );
        signal.throwIfAborted();
        if (alive) break;
      }
      waitingForServer = false;
      store.update((state) => ({ ...state, server: "reachable", announcement: texts.reachable }));
      asked.clear();
      lookAtSeries();
    });
  }

  function reached(): void {
    store.update((state) => (state.server === "unknown" ? { ...state, server: "reachable" } : state));
  }

  function inBackground(work: () => Promise<unknown>): void {
    work().catch((error: unknown) => {
      if (signal.aborted) return;
      if (error instanceof ServerUnreachableError) lostServer();
      else refuse(error);
    });
  }

  function refuse(error: unknown): void {
    const problem = error instanceof ApiProblemError ? error.problem : undefined;
    const text = messageOf(error);
    store.update((state) => ({ ...state, refusal: { text, ...(problem && { problem }) }, announcement: text }));
  }

  /** Asks once for what the series in view needs: its modality's vocabulary and its study's earlier jobs. */
  function lookAtSeries(): void {
    const series = viewer.activeSeries();
    store.update(({ series: before, ...rest }) =>
      before?.seriesInstanceUid === series?.seriesInstanceUid
        ? { ...rest, ...(before && { series: before }) }
        : { ...rest, ...(series && { series }) },
    );
    if (!series || waitingForServer) return;
    const { modality, studyInstanceUid } = series;
    once(`vocabulary ${modality}`, async () => {
      const query = /^[A-Z][A-Z0-9_]{0,15}$/.test(modality) ? { query: { modality } } : {};
      const vocabulary = await api.call("readVocabulary", { ...query, signal });
      reached();
      store.update((state) => ({ ...state, vocabularies: { ...state.vocabularies, [modality]: vocabulary } }));
    });
    once(`history ${studyInstanceUid}`, async () => {
      const limit = String(HISTORY);
      const own = await api.call("listJobs", { query: { limit }, signal });
      const routed = await api
        .call("listJobs", { query: { limit, submittedBy: "routing" }, signal })
        .catch(withoutRouting);
      const jobs = [...own.jobs, ...routed.jobs];
      reached();
      const ofStudy = jobs.filter(
        ({ request }) => request.kind === "series" && request.studyInstanceUid === studyInstanceUid,
      );
      store.update((state) => withJobs(state, ofStudy));
      for (const job of ofStudy) if (!hasEnded(job.state)) inBackground(() => follow(job.id));
      await showNewest();
    });
  }

  function once(what: string, work: () => Promise<void>): void {
    if (asked.has(what)) return;
    asked.add(what);
    inBackground(() =>
      work().catch((error: unknown) => {
        asked.delete(what);
        throw error;
      }),
    );
  }

  /** People do not notice stored segmentations: those that they asked for themselves are shown. */
  async function showNewest(): Promise<void> {
    const seen = new Set<string>();
    const toShow = entriesOfStudy(store.get()).filter(({ job, overlay }) => {
      const uid = job.result?.seg?.sopInstanceUid;
      if (uid === undefined || seen.has(uid) || seen.size === SHOWN_ON_OPENING) return false;
      seen.add(uid);
      return overlay.kind === "hidden";
    });
    for (const { job } of toShow) await show(job.id);
  }

  function follow(jobId: string): Promise<JobView> {
    const running = followed.get(jobId);
    if (running) return running;
    const ended = (async () => {
      const onContact = (contact: boolean) => (contact ? reached() : lostServer());
      for await (const event of followJob(api, jobId, { signal, wait, onContact })) {
        store.update((state) => withEntry(state, jobId, (old) => ({ ...old, job: afterEvent(old.job, event) })));
        if (event.type === "finding") announce(`${event.finding.prompt.text}: ${findingLine(event.finding, texts)}`);
      }
      const job = await api.call("readJob", { params: { id: jobId }, signal });
      store.update((state) => withEntry(withJobs(state, [job]), jobId, (old) => ({ ...old, cancelling: false })));
      return job;
    })();
    const kept = ended.finally(() => followed.delete(jobId));
    followed.set(jobId, kept);
    return kept;
  }

  async function show(jobId: string): Promise<void> {
    const seg = entry(jobId)?.job.result?.seg;
    const kind = entry(jobId)?.overlay.kind;
    if (!seg || kind === "loading" || kind === "shown") return;
    store.update((state) => withEntry(state, jobId, (old) => ({ ...old, overlay: { kind: "loading" } })));
    try {
      const segmentationId = await viewer.showSeg(seg, signal);
      store.update((state) =>
        withEntry(state, jobId, (old) => ({ ...old, overlay: { kind: "shown", segmentationId } })),
      );
    } catch (error) {
      if (signal.aborted) return;
      const why = messageOf(error);
      store.update((state) => withEntry(state, jobId, (old) => ({ ...old, overlay: { kind: "failed", why } })));
      announce(texts.overlayFailed(why));
    }
  }

  async function presentEnd(job: JobView): Promise<void> {
    const prompts = quoted(promptsOf(job));
    if (job.state === "failed") {
      const why = job.problem?.detail ?? job.problem?.title ?? "";
      announce(`${prompts}: ${why}`);
      viewer.notify(`${prompts}: ${why}`, "error");
    } else if (job.state === "cancelled") {
      announce(`${prompts}: ${texts.cancelled}`);
    } else {
      const lines = job.findings.map((finding) => `${finding.prompt.text}: ${findingLine(finding, texts)}`);
      await show(job.id);
      const at = job.findings.find(({ present }) => present)?.components[0]?.centroidLps;
      if (at) session.jumpTo(job.id, at);
      announce(lines.join("; "));
      viewer.notify(lines.join("; "), "success");
    }
  }

  async function submit(prompts: readonly string[], series: ActiveSeries): Promise<JobView | undefined> {
    const { studyInstanceUid, seriesInstanceUid } = series;
    const body: SubmitJob = { ...parts.options, studyInstanceUid, seriesInstanceUid, prompts: [...prompts] };
    store.update(({ refusal: _answered, ...state }) => ({ ...state, submitting: true }));
    try {
      const job = await api.call("submitJob", { body, signal });
      reached();
      store.update((state) => withJobs(state, [job]));
      announce(texts.started(quoted(prompts)));
      return job;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ServerUnreachableError) lostServer();
      else refuse(error);
      return undefined;
    } finally {
      store.update((state) => ({ ...state, submitting: false }));
    }
  }

  const session: Session = {
    store,
    setDraft: (draft) => store.update((state) => ({ ...state, draft })),
    segment: async (prompts, given) => {
      const series = given ?? viewer.activeSeries();
      if (!series) {
        store.update((state) => ({ ...state, refusal: { text: texts.noSeries }, announcement: texts.noSeries }));
        return undefined;
      }
      if (prompts.length === 0) return undefined;
      try {
        const submitted = await submit(prompts, series);
        if (!submitted) return undefined;
        const job = await follow(submitted.id);
        await presentEnd(job);
        return job;
      } catch (error) {
        if (!signal.aborted) refuse(error);
        return undefined;
      }
    },
    cancel: async (jobId) => {
      const cancelling = (value: boolean) =>
        store.update((state) => withEntry(state, jobId, (old) => ({ ...old, cancelling: value })));
      cancelling(true);
      try {
        const job = await api.call("cancelJob", { params: { id: jobId }, signal });
        store.update((state) => withJobs(state, [job]));
      } catch (error) {
        // It ended in the meantime: its own events tell how.
        if (error instanceof ApiProblemError && error.problem.code === "job-conflict") return;
        cancelling(false);
        inBackground(() => Promise.reject(error));
      }
    },
    show,
    hide: (jobId) => {
      const overlay = entry(jobId)?.overlay;
      if (overlay?.kind !== "shown") return;
      const { segmentationId } = overlay;
      viewer.hideSeg(segmentationId);
      // The same question asked again has the same SEG.
      store.update((state) => ({
        ...state,
        entries: state.entries.map((old) =>
          old.overlay.kind === "shown" && old.overlay.segmentationId === segmentationId
            ? { ...old, overlay: { kind: "hidden" } }
            : old,
        ),
      }));
    },
    jumpTo: (jobId, pointLps) => {
      const request = entry(jobId)?.job.request;
      if (request?.kind === "series") viewer.jumpTo(request, pointLps);
    },
    [Symbol.dispose]: () => {
      unsubscribe();
      closing.abort(new DOMException("the viewer was left", "AbortError"));
    },
  };
  const unsubscribe = viewer.onSeriesChange(lookAtSeries);
  lookAtSeries();
  return session;
}

/** A server that does not route, or keeps what it routed to itself, has the user's own jobs all the same. */
function withoutRouting(error: unknown): { readonly jobs: readonly JobView[] } {
  if (error instanceof ApiProblemError) return { jobs: [] };
  throw error;
}

export function promptsOf({ request }: JobView): readonly string[] {
  return request.prompts.map(({ text }) => text);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
