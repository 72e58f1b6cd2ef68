import type { JobEvent, JobView, Problem, ReviewView, SubmitReview } from "#server/contract/index.ts";
import type { ApiClient, ApiRequest } from "../src/api/api-client.ts";
import { ApiProblemError, ServerUnreachableError } from "../src/api/errors.ts";
import type { AskOptions } from "../src/state/desk.ts";
import type { ActiveSeries } from "../src/state/panel-state.ts";
import { createSession, type Session } from "../src/state/session.ts";
import type {
  ChangeLabels,
  Drawing,
  FinishedSlice,
  SegmentRuns,
  StoredSeg,
  ViewerPort,
  VolumeShape,
} from "../src/state/viewer-port.ts";
import { english } from "../src/texts.ts";
import { problem, queued, reviewOf, series, vocabulary } from "./samples.ts";

/** A server in memory: jobs are moved on by the test. */
export class FakeServer {
  readonly jobs = new Map<string, JobView>();
  readonly submitted: unknown[] = [];
  readonly reviews: ReviewView[] = [];
  /** What was asked of the listings. */
  readonly queries: unknown[] = [];
  readonly given: SubmitReview[] = [];
  readonly recuts: unknown[] = [];
  /** By prompt, of any job. */
  readonly probabilities = new Map<string, Uint8Array>();
  shape: VolumeShape = { columns: 2, rows: 2, slices: 1 };
  /** What a question is answered with, in place of a new job. */
  answered: JobView | undefined;
  down = false;
  refusing = false;
  /** Of everything. */
  refusal: Problem | undefined;
  #events: JobEvent[] = [];
  #wake: (() => void)[] = [];

  /** Says that something happened to the job. */
  tell(event: Omit<JobEvent, "id" | "at"> & Partial<JobEvent>): void {
    const whole = { ...event, id: this.#events.length + 1, at: queued.createdAt } as JobEvent;
    if (whole.type === "state") this.jobs.set(whole.job.id, whole.job);
    this.#events.push(whole);
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Ends every open stream, as a proxy does. */
  hangUp(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  readonly api: ApiClient = {
    call: (async (name: string, request: ApiRequest = {}) => {
      if (this.down) throw new ServerUnreachableError("down");
      if (this.refusal) throw new ApiProblemError(this.refusal);
      switch (name) {
        case "health":
          return { status: "alive", version: "1" };
        case "readVocabulary":
          return vocabulary;
        case "listJobs":
          this.queries.push(request.query);
          if (request.query?.submittedBy === "routing") throw new ApiProblemError(problem);
          return {
            jobs: [...this.jobs.values()].filter(
              ({ request: { kind, ...rest } }) =>
                kind === "series" &&
                "studyInstanceUid" in rest &&
                rest.studyInstanceUid === request.query?.studyInstanceUid,
            ),
          };
        case "listReviews":
          return { reviews: this.reviews };
        case "submitReview": {
          const body = request.body as SubmitReview;
          this.given.push(body);
          const review = reviewOf(request.params?.id ?? "", body, this.given.length);
          this.reviews.push(review);
          return review;
        }
        case "cutAgain": {
          this.recuts.push(request.body);
          const of = this.#job(request.params?.id);
          const job = {
            ...queued,
            id: `cut of ${of.id}`,
            request: { ...of.request, recut: { jobId: of.id, thresholds: {} } },
          } as JobView;
          this.jobs.set(job.id, job);
          return job;
        }
        case "readJob":
          return this.#job(request.params?.id);
        case "cancelJob": {
          const job: JobView = { ...this.#job(request.params?.id), state: "cancelled" };
          this.tell({ type: "state", job });
          return job;
        }
        case "submitJob": {
          this.submitted.push(request.body);
          if (this.refusing) throw new ApiProblemError(problem);
          const job: JobView = this.answered ?? { ...queued, id: `j${this.submitted.length}` };
          this.jobs.set(job.id, job);
          return job;
        }
        default:
          throw new Error(`no such route: ${name}`);
      }
    }) as ApiClient["call"],

    bytes: async (_name, { params } = {}) => {
      const bytes = this.probabilities.get(params?.promptId ?? "");
      if (!bytes) throw new ApiProblemError({ ...problem, code: "not-found" });
      const { columns, rows, slices } = this.shape;
      const headers = { "Parse3D-Columns": columns, "Parse3D-Rows": rows, "Parse3D-Slices": slices };
      return { bytes, header: (name) => String(headers[name as keyof typeof headers]) };
    },

    events: (id, options) => this.#stream(id, options),
  };

  async *#stream(id: string, { after, signal }: { readonly after: number; readonly signal: AbortSignal }) {
    for (let next = after; ; ) {
      if (this.down) throw new ServerUnreachableError("down");
      if (this.refusal) throw new ApiProblemError(this.refusal);
      for (const event of this.#events.slice(next)) {
        next = event.id;
        if (event.type !== "state" || event.job.id === id) yield event;
      }
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#wake.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      await promise;
      if (this.#events.length === next) return;
    }
  }

  #job(id = ""): JobView {
    const job = this.jobs.get(id);
    if (!job) throw new ApiProblemError({ ...problem, code: "job-not-found" });
    return job;
  }
}

/** A viewer that remembers what it was told to show. */
export class FakeViewer implements ViewerPort {
  series: ActiveSeries | undefined = series;
  readonly shown: StoredSeg[] = [];
  readonly jumps: (readonly number[])[] = [];
  readonly messages: string[] = [];
  fails = false;
  /** Showing waits for it. */
  loading: Promise<void> | undefined;
  slice: number | undefined;
  /** What was drawn, and when it was taken away. */
  readonly drawn: (FinishedSlice | "removed")[] = [];
  /** Of the shown segmentation: one slice. */
  labels: Uint8Array = new Uint8Array(4);
  runs: readonly SegmentRuns[] | undefined = [];
  #listeners = new Set<() => void>();

  activeSeries(): ActiveSeries | undefined {
    return this.series;
  }

  sliceInView(): number | undefined {
    return this.slice;
  }

  drawingsOpened = 0;

  async openDrawing(): Promise<Drawing> {
    this.drawingsOpened += 1;
    return {
      draw: (slice) => this.drawn.push(slice),
      remove: () => this.drawn.push("removed"),
    };
  }

  async relabel(_id: string, { columns, rows }: VolumeShape, change: ChangeLabels): Promise<boolean> {
    if (columns * rows !== this.labels.length) return false;
    change(0, this.labels);
    return true;
  }

  segmentRuns(): readonly SegmentRuns[] | undefined {
    return this.runs;
  }

  onSeriesChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  look(at: ActiveSeries | undefined): void {
    this.series = at;
    for (const listener of this.#listeners) listener();
  }

  async showSeg(seg: StoredSeg): Promise<string> {
    await this.loading;
    if (this.fails) throw new Error("no room");
    this.shown.push(seg);
    return `shown ${seg.sopInstanceUid}`;
  }

  hideSeg(segmentationId: string): void {
    const at = this.shown.findIndex(({ sopInstanceUid }) => segmentationId.endsWith(sopInstanceUid));
    this.shown.splice(at, 1);
  }

  jumpTo(_series: unknown, pointLps: readonly number[]): void {
    this.jumps.push(pointLps);
  }

  notify(message: string): void {
    this.messages.push(message);
  }
}

export interface Stage extends Disposable {
  readonly server: FakeServer;
  readonly viewer: FakeViewer;
  readonly session: Session;
}

/** A session between a fake server and a fake viewer; waits take no time. */
export function stage(
  prepare: (parts: Pick<Stage, "server" | "viewer">) => void = () => {},
  options: Partial<AskOptions> = {},
): Stage {
  const server = new FakeServer();
  const viewer = new FakeViewer();
  prepare({ server, viewer });
  const session = createSession({
    api: server.api,
    viewer,
    texts: english,
    options: { merge: "exclusive", preview: false, keepProbabilities: false, ...options },
    wait: async (_ms, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      signal.throwIfAborted();
    },
  });
  return { server, viewer, session, [Symbol.dispose]: () => session[Symbol.dispose]() };
}
