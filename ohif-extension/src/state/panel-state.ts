import type { JobEvent, JobView, Problem, ReviewView, VocabularyView } from "#server/contract/index.ts";

import { quoted, type Texts } from "../texts.ts";
import type { StoredSeg } from "./viewer-port.ts";

/** The series that the user looks at: the one in the active viewport. */
export interface ActiveSeries {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly modality: string;
  readonly description: string;
}

/** Whether a job's SEG stands in the viewports. */
export type Overlay =
  | { readonly kind: "hidden" }
  | { readonly kind: "loading" }
  | { readonly kind: "shown"; readonly segmentationId: string }
  | { readonly kind: "failed"; readonly why: string };

export interface JobEntry {
  readonly job: JobView;
  readonly overlay: Overlay;
  /** Cancelling was asked for and has not been answered. */
  readonly cancelling: boolean;
  /** An earlier answer that the user has asked for again: it stands above all that was newer then. */
  readonly askedAgain?: { readonly after: string; readonly turn: number };
  /** Slices that are finished are drawn in the viewports. */
  readonly drawn?: boolean;
  /** The newest verdict on it. */
  readonly review?: ReviewView;
  readonly reviewing?: boolean;
  /** Where the user has moved sliders to, by prompt, and what that made of the masks. */
  readonly thresholds?: Readonly<Record<string, number>>;
  readonly cutVoxels?: Readonly<Record<string, number>>;
  readonly saving?: boolean;
  /** A later cut of it was stored: it is not shown by itself any more. */
  readonly replaced?: boolean;
}

/** Why the last question was not taken. */
export interface Refusal {
  readonly text: string;
  readonly problem?: Problem;
}

export interface PanelState {
  readonly series?: ActiveSeries;
  readonly server: "unknown" | "reachable" | "unreachable";
  readonly vocabularies: Readonly<Record<string, VocabularyView>>;
  readonly draft: string;
  readonly submitting: boolean;
  readonly refusal?: Refusal;
  /** Newest first, of all studies seen. */
  readonly entries: readonly JobEntry[];
  /** What a screen reader is told. */
  readonly announcement: string;
}

export const initialState: PanelState = {
  server: "unknown",
  vocabularies: {},
  draft: "",
  submitting: false,
  entries: [],
  announcement: "",
};

/** The entries of the study that is looked at. */
export function entriesOfStudy({ entries, series }: PanelState): readonly JobEntry[] {
  return entries.filter(
    ({ job: { request } }) => request.kind === "series" && request.studyInstanceUid === series?.studyInstanceUid,
  );
}

/** Jobs as the server tells them, put among those that are known. */
export function withJobs(state: PanelState, jobs: readonly JobView[]): PanelState {
  const fresh = new Map(jobs.map((job) => [job.id, job]));
  const known = state.entries.map((entry) => {
    const job = fresh.get(entry.job.id);
    fresh.delete(entry.job.id);
    return job ? { ...entry, job } : entry;
  });
  const added = [...fresh.values()].map((job): JobEntry => ({ job, overlay: { kind: "hidden" }, cancelling: false }));
  const all = [...added, ...known].sort(newestFirst);
  const cut = new Set(all.flatMap(({ job }) => (job.state === "succeeded" ? (recutOf(job) ?? []) : [])));
  return {
    ...state,
    entries: all.map((entry) => (cut.has(entry.job.id) && !entry.replaced ? { ...entry, replaced: true } : entry)),
  };
}

function newestFirst(a: JobEntry, b: JobEntry): number {
  const at = ({ job, askedAgain }: JobEntry) => askedAgain?.after ?? job.createdAt;
  return at(b).localeCompare(at(a)) || (b.askedAgain?.turn ?? 0) - (a.askedAgain?.turn ?? 0);
}

/** An earlier answer, asked for again: it comes before the others. */
export function withAskedAgain(state: PanelState, jobId: string): PanelState {
  const [newest] = state.entries;
  if (!newest || newest.job.id === jobId) return state;
  const askedAgain = {
    after: newest.askedAgain?.after ?? newest.job.createdAt,
    turn: (newest.askedAgain?.turn ?? 0) + 1,
  };
  const next = withEntry(state, jobId, (entry) => ({ ...entry, askedAgain }));
  return { ...next, entries: [...next.entries].sort(newestFirst) };
}

/** The job whose probabilities this one cut. */
export function recutOf({ request }: JobView): string | undefined {
  return request.kind === "series" ? request.recut?.jobId : undefined;
}

/** Whether slices that are no regular grid were to be put onto one. */
export function resampled({ request }: JobView): boolean {
  return request.kind === "series" && request.resample === true;
}

const unevenFaults: readonly unknown[] = ["missing-slice", "non-uniform-spacing", "gantry-tilt"];

/** Whether it was refused for slices that are no regular grid: it may be asked again with them put onto one. */
export function mayResample({ request, problem }: JobView): boolean {
  return (
    request.kind === "series" &&
    request.resample !== true &&
    problem?.code === "unsupported-series" &&
    unevenFaults.includes(problem.details?.reason)
  );
}

/** The series that was asked about, as far as its job tells. */
export function seriesOf({ request }: JobView): ActiveSeries | undefined {
  if (request.kind !== "series") return undefined;
  const { studyInstanceUid, seriesInstanceUid } = request;
  return { studyInstanceUid, seriesInstanceUid, modality: "", description: "" };
}

/** Verdicts put to their jobs: of several, the newest. */
export function withReviews(state: PanelState, reviews: readonly ReviewView[]): PanelState {
  return {
    ...state,
    entries: state.entries.map((entry) => {
      const own = reviews.filter(({ jobId }) => jobId === entry.job.id);
      const [newest] = [...own, ...(entry.review ? [entry.review] : [])].sort((a, b) => b.at.localeCompare(a.at));
      return newest ? { ...entry, review: newest } : entry;
    }),
  };
}

/** What stands for a job in the viewports: what its reviewer made of it, or what it stored. */
export function segShownFor({ job, review }: JobEntry): StoredSeg | undefined {
  return review?.seg ?? job.result?.seg;
}

export function promptsOf({ request }: JobView): readonly string[] {
  return request.prompts.map(({ text }) => text);
}

/** What was asked, in words: the prompts, or all that the models recommend. */
export function nameOf(job: JobView, texts: Pick<Texts, "recognise">): string {
  return quoted(promptsOf(job)) || texts.recognise;
}

export function withEntry(state: PanelState, jobId: string, change: (entry: JobEntry) => JobEntry): PanelState {
  return { ...state, entries: state.entries.map((entry) => (entry.job.id === jobId ? change(entry) : entry)) };
}

/** A job after one of its events. */
export function afterEvent(job: JobView, event: Exclude<JobEvent, { readonly type: "preview" }>): JobView {
  switch (event.type) {
    case "state":
      return event.job;
    case "progress": {
      const { detail: _earlier, ...rest } = job;
      return {
        ...rest,
        state: event.stage === "queued" ? job.state : "running",
        stage: event.stage,
        fraction: event.fraction,
        ...(event.detail !== undefined && { detail: event.detail }),
      };
    }
    case "finding": {
      const others = job.findings.filter(({ prompt }) => prompt.id !== event.finding.prompt.id);
      return { ...job, findings: [...others, event.finding] };
    }
    default:
      return event satisfies never;
  }
}
