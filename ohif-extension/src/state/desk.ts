import type { ApiClient } from "../api/api-client.ts";
import { ApiProblemError, mayPass, ServerUnreachableError } from "../api/errors.ts";
import type { Texts } from "../texts.ts";
import { initialState, type JobEntry, type PanelState, withEntry } from "./panel-state.ts";
import { createStore, type Store } from "./store.ts";
import type { ViewerPort } from "./viewer-port.ts";

/** What is asked of the server beside series and prompts, and which of its services are used. */
export interface AskOptions {
  readonly model?: string;
  readonly merge: "exclusive" | "overlapping";
  readonly outputs?: readonly ("seg" | "sr" | "rtstruct" | "sc" | "detections")[];
  readonly threshold?: number;
  /** Draw slices as they are finished. */
  readonly preview: boolean;
  /** Have probabilities kept for the sliders. */
  readonly keepProbabilities: boolean;
}

export interface SessionParts {
  readonly api: ApiClient;
  readonly viewer: ViewerPort;
  readonly texts: Texts;
  readonly options: AskOptions;
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** What all parts of a session work with: its state, and how its server is reached. */
export interface Desk extends SessionParts {
  readonly store: Store<PanelState>;
  /** Aborts when the viewer is left. */
  readonly signal: AbortSignal;
  entry(jobId: string): JobEntry | undefined;
  change(jobId: string, change: (entry: JobEntry) => JobEntry): void;
  announce(text: string): void;
  /** The server answered: what it refused for the time being is over. */
  reached(): void;
  /** It did not: it is asked again until it does, and then everything that was missed. */
  lost(): void;
  readonly isWaiting: boolean;
  /** Shows why something was not done. */
  refuse(error: unknown): void;
  inBackground(work: () => Promise<unknown>): void;
}

const HEALTH_MS = 2000;

export function createDesk(parts: SessionParts, signal: AbortSignal, onReturn: () => void): Desk {
  const { api, texts, wait } = parts;
  const store = createStore<PanelState>(initialState);
  let waitingForServer = false;

  const desk: Desk = {
    ...parts,
    store,
    signal,
    entry: (jobId) => store.get().entries.find(({ job }) => job.id === jobId),
    change: (jobId, change) => store.update((state) => withEntry(state, jobId, change)),
    announce: (announcement) => store.update((state) => ({ ...state, announcement })),
    get isWaiting() {
      return waitingForServer;
    },

    reached: () =>
      store.update((state) => {
        const { refusal, ...rest } = state;
        const isOver = refusal?.problem && mayPass(refusal.problem);
        if (state.server !== "unknown" && !isOver) return state;
        const server = state.server === "unknown" ? "reachable" : state.server;
        return isOver ? { ...rest, server, announcement: texts.reachable } : { ...state, server };
      }),

    lost: () => {
      if (waitingForServer || signal.aborted) return;
      waitingForServer = true;
      store.update((state) => ({ ...state, server: "unreachable", announcement: texts.unreachable }));
      desk.inBackground(async () => {
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
        onReturn();
      });
    },

    refuse: (error) => {
      if (error instanceof ServerUnreachableError) return desk.lost();
      const problem = error instanceof ApiProblemError ? error.problem : undefined;
      const text = messageOf(error);
      store.update((state) => ({ ...state, refusal: { text, ...(problem && { problem }) }, announcement: text }));
    },

    inBackground: (work) => {
      work().catch((error: unknown) => {
        if (!signal.aborted) desk.refuse(error);
      });
    },
  };
  return desk;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
