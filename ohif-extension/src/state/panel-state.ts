import type { JobEvent, JobView, Problem, VocabularyView } from "#server/contract/index.ts";

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
  const entries = [...added, ...known].sort((a, b) => b.job.createdAt.localeCompare(a.job.createdAt));
  return { ...state, entries };
}

export function withEntry(state: PanelState, jobId: string, change: (entry: JobEntry) => JobEntry): PanelState {
  return { ...state, entries: state.entries.map((entry) => (entry.job.id === jobId ? change(entry) : entry)) };
}

/** A job after one of its events. */
export function afterEvent(job: JobView, event: JobEvent): JobView {
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
