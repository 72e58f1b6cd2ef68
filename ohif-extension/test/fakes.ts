import type { JobEvent, JobView } from "#server/contract/index.ts";
import type { ApiClient, ApiRequest } from "../src/api/api-client.ts";
import { ApiProblemError, ServerUnreachableError } from "../src/api/errors.ts";
import type { ActiveSeries } from "../src/state/panel-state.ts";
import { createSession, type Session, type StoredSeg, type ViewerPort } from "../src/state/session.ts";
import { english } from "../src/texts.ts";
import { problem, queued, series, vocabulary } from "./samples.ts";

/** A server in memory: jobs are moved on by the test. */
export class FakeServer {
  readonly jobs = new Map<string, JobView>();
  readonly submitted: unknown[] = [];
  down = false;
  refusing = false;
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
      switch (name) {
        case "health":
          return { status: "alive", version: "1" };
        case "readVocabulary":
          return vocabulary;
        case "listJobs":
          if (request.query?.submittedBy === "routing") throw new ApiProblemError(problem);
          return { jobs: [...this.jobs.values()] };
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
          const job: JobView = { ...queued, id: `j${this.submitted.length}` };
          this.jobs.set(job.id, job);
          return job;
        }
        default:
          throw new Error(`no such route: ${name}`);
      }
    }) as ApiClient["call"],

    events: (id, options) => this.#stream(id, options),
  };

  async *#stream(id: string, { after, signal }: { readonly after: number; readonly signal: AbortSignal }) {
    for (let next = after; ; ) {
      if (this.down) throw new ServerUnreachableError("down");
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
  #listeners = new Set<() => void>();

  activeSeries(): ActiveSeries | undefined {
    return this.series;
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
export function stage(prepare: (parts: Pick<Stage, "server" | "viewer">) => void = () => {}): Stage {
  const server = new FakeServer();
  const viewer = new FakeViewer();
  prepare({ server, viewer });
  const session = createSession({
    api: server.api,
    viewer,
    texts: english,
    options: { merge: "exclusive" },
    wait: async (_ms, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      signal.throwIfAborted();
    },
  });
  return { server, viewer, session, [Symbol.dispose]: () => session[Symbol.dispose]() };
}
