import { InferenceSession, Tensor } from "onnxruntime-node";
import type { GraphAnswer, GraphQuestion } from "../graph-process.ts";

/** A process that runs graphs one by one: its memory is its own, and can be measured. */
let open: { readonly file: string; readonly session: InferenceSession } | undefined;

process.on("disconnect", () => process.exit(0));
process.on("message", (question: GraphQuestion) => {
  void answer(question).then((reply) => process.send?.(reply));
});

async function answer(question: GraphQuestion): Promise<GraphAnswer> {
  try {
    const before = performance.now();
    const session = await sessionOf(question);
    const secondsToOpen = (performance.now() - before) / 1000;
    const feeds = Object.fromEntries(
      Object.entries(question.inputs).map(([name, { dtype, dims, data }]) => [name, new Tensor(dtype, data, dims)]),
    );
    const start = performance.now();
    const outputs = await session.run(feeds);
    const seconds = (performance.now() - start) / 1000;
    const tensors = Object.entries(outputs).map(([name, { type, dims, data }]) => [name, { dtype: type, dims, data }]);
    const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
    return { kind: "done", outputs: Object.fromEntries(tensors), seconds, secondsToOpen, peakRssMb };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

/** One graph is held open: the last. */
async function sessionOf({ graphFile, threads }: GraphQuestion): Promise<InferenceSession> {
  if (open?.file === graphFile) return open.session;
  await open?.session.release();
  open = undefined;
  const options = { executionProviders: ["cpu"], ...(threads !== undefined && { intraOpNumThreads: threads }) };
  open = { file: graphFile, session: await InferenceSession.create(graphFile, options) };
  return open.session;
}
