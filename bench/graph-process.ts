import { InferenceSession, Tensor } from "onnxruntime-node";
import type { GraphTensor } from "#models/index.ts";

/** A question to this process: a graph, its inputs, and how often to run it. */
export interface GraphQuestion {
  readonly graphFile: string;
  readonly inputs: Readonly<Record<string, GraphTensor>>;
  readonly runs: number;
  readonly threads: number;
}

export interface GraphAnswer {
  /** Of the last run. */
  readonly outputs: Readonly<Record<string, GraphTensor>>;
  /** Of each run. */
  readonly seconds: readonly number[];
  /** To open the graph; next to nothing where it was open already. */
  readonly secondsToOpen: number;
  /** Of this process so far. */
  readonly peakRssMb: number;
}

let open: { readonly file: string; readonly session: InferenceSession } | undefined;

process.on("message", async (question: GraphQuestion) => {
  const before = performance.now();
  const session = await sessionOf(question);
  const secondsToOpen = (performance.now() - before) / 1000;
  const feeds = Object.fromEntries(
    Object.entries(question.inputs).map(([name, { dtype, dims, data }]) => [name, new Tensor(dtype, data, dims)]),
  );
  const seconds: number[] = [];
  let outputs: Awaited<ReturnType<InferenceSession["run"]>> = {};
  for (let run = 0; run < question.runs; run++) {
    const start = performance.now();
    outputs = await session.run(feeds);
    seconds.push((performance.now() - start) / 1000);
  }
  const answer = Object.entries(outputs).map(([name, { type, dims, data }]) => [name, { dtype: type, dims, data }]);
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  process.send?.({ outputs: Object.fromEntries(answer), seconds, secondsToOpen, peakRssMb });
});

process.on("disconnect", () => process.exit());

/** One graph is held open: the last. */
async function sessionOf({ graphFile, threads }: GraphQuestion): Promise<InferenceSession> {
  if (open?.file === graphFile) return open.session;
  await open?.session.release();
  open = { file: graphFile, session: await InferenceSession.create(graphFile, { intraOpNumThreads: threads }) };
  return open.session;
}
