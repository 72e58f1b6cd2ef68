import { fork } from "node:child_process";
import { once } from "node:events";
import type { GraphRunner, GraphTensor } from "#models/index.ts";
import { ModelUnavailableError } from "#server/domain/index.ts";
import { childEnvironment } from "./child-environment.ts";

export interface GraphQuestion {
  readonly graphFile: string;
  readonly inputs: Readonly<Record<string, GraphTensor>>;
  readonly threads?: number;
  /** Graphs that stay open at once; default 1. */
  readonly hold?: number;
}

export interface GraphRun {
  readonly outputs: Readonly<Record<string, GraphTensor>>;
  readonly seconds: number;
  /** To open the graph; next to nothing where it was open already. */
  readonly secondsToOpen: number;
  /** Of the process so far. */
  readonly peakRssMb: number;
}

export type GraphAnswer =
  | ({ readonly kind: "done" } & GraphRun)
  | { readonly kind: "failed"; readonly message: string; readonly retryable: boolean };

/** A process that runs graphs on the CPU, one after the other. Disposing ends it. */
export interface GraphProcess extends AsyncDisposable {
  readonly run: GraphRunner;
  /** The same, with what it took. */
  ask(graphFile: string, inputs: GraphQuestion["inputs"]): Promise<GraphRun>;
}

/** For installing and verifying a model: what a graph answers, without its memory in this process. */
export function openGraphProcess({
  threads,
  hold,
  signal,
}: {
  readonly threads?: number;
  /** Graphs that stay open at once: one whole network after the other needs the memory of one; default 1. */
  readonly hold?: number;
  readonly signal?: AbortSignal;
} = {}): GraphProcess {
  const child = fork(new URL("./child/graph-main.ts", import.meta.url), [], {
    serialization: "advanced",
    execArgv: [],
    env: childEnvironment(),
  });
  const exited = once(child, "exit");
  const kill = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });

  async function ask(graphFile: string, inputs: GraphQuestion["inputs"]): Promise<GraphRun> {
    signal?.throwIfAborted();
    child.send({
      graphFile,
      inputs,
      ...(threads !== undefined && { threads }),
      ...(hold !== undefined && { hold }),
    } satisfies GraphQuestion);
    const answered = once(child, "message").then(([answer]) => answer as GraphAnswer);
    const answer = await Promise.race([answered, exited.then(() => undefined)]);
    signal?.throwIfAborted();
    if (answer === undefined) {
      throw new ModelUnavailableError("The process that runs the network ended: is there enough memory? Try again.");
    }
    if (answer.kind === "failed") throw new ModelUnavailableError(answer.message, { retryable: answer.retryable });
    return answer;
  }

  return {
    ask,
    run: async (graphFile, inputs) => (await ask(graphFile, inputs)).outputs,
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener("abort", kill);
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
