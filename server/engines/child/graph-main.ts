import { InferenceSession, Tensor } from "onnxruntime-node";
import type { GraphAnswer, GraphQuestion } from "../graph-process.ts";
import { runtimeError } from "./runtime-error.ts";

/** A process that runs graphs one by one: its memory is its own, and can be measured. */
const open = new Map<string, InferenceSession>();

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
    const { message, retryable } = runtimeError("The network cannot be computed", error, "cpu");
    return { kind: "failed", message, retryable };
  }
}

/** The graphs that were asked last stay open. */
async function sessionOf({ graphFile, threads, hold = 1 }: GraphQuestion): Promise<InferenceSession> {
  const known = open.get(graphFile);
  if (known) return known;
  for (const [file, session] of open) {
    if (open.size < hold) break;
    open.delete(file);
    await session.release();
  }
  const options = { executionProviders: ["cpu"], ...(threads !== undefined && { intraOpNumThreads: threads }) };
  const session = await InferenceSession.create(graphFile, options);
  open.set(graphFile, session);
  return session;
}
