import { Worker } from "node:worker_threads";
import type { Voxels } from "#converters/geometry/index.ts";
import { ModelBundleError, openBundle } from "#models/index.ts";
import { ModelUnavailableError } from "../../domain/errors.ts";
import { openAzureMlEngine } from "../azure-ml/azure-ml-engine.ts";
import { openOpenInferenceEngine } from "../open-inference/open-inference-engine.ts";
import type { Load, VolumeHeader } from "../protocol.ts";
import { isRefusal, toWire } from "../wire-error.ts";
import { openBundleEngine } from "./bundle-engine.ts";
import { openLocalGraphs } from "./bundle-graphs.ts";
import type { ChildEngine, Reply } from "./engine.ts";
import { Inbox } from "./inbox.ts";
import { openLabelsEngine } from "./labels-engine.ts";
import { Outbox } from "./outbox.ts";
import { createVoxels } from "./voxel-types.ts";

/** The inference process: loads one model, then answers one question after another until it is killed or left alone. */
// A thread in the middle of a run does not let go: nothing but SIGKILL ends the process quietly.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
new Worker(new URL("./orphan-guard.ts", import.meta.url)).unref();

const outbox = new Outbox();
const inbox = new Inbox(() => outbox.took());

const reply: Reply = {
  progress: (stage, fraction) => outbox.send({ kind: "progress", stage, fraction }),
  note: (text) => outbox.send({ kind: "note", text }),
  planes: (planes) => outbox.planes(planes),
};

const load = await inbox.expect("load");
try {
  const engine = await openEngine(load);
  await outbox.send({ kind: "ready", provider: engine.provider });
  for (;;) await answerNext(engine);
} catch (error) {
  await outbox.send({ kind: "failed", error: toWire(error) });
  process.exit(1);
}

async function openEngine(load: Load): Promise<ChildEngine> {
  const installed = await openBundle(load.folder).catch((cause: unknown) => {
    if (!(cause instanceof ModelBundleError)) throw cause;
    throw new ModelUnavailableError(cause.message, { cause, retryable: false });
  });
  if (load.sha256 !== undefined && load.sha256 !== installed.card.sha256) {
    throw new ModelUnavailableError("The model was replaced by another version while the question waited. Ask again.");
  }
  switch (installed.engine) {
    case "bundle":
      return openBundleEngine(installed, await openLocalGraphs(installed, load));
    case "labels":
      return openLabelsEngine(installed, load);
    case "azure-ml":
      return openAzureMlEngine(installed, load);
    case "open-inference":
      return openOpenInferenceEngine(installed, load);
    default:
      return installed satisfies never;
  }
}

async function answerNext(engine: ChildEngine): Promise<void> {
  const question = await inbox.expect("begin");
  outbox.startRun();
  try {
    engine.check(question);
    const needed = engine.needsVoxels(question);
    await outbox.send({ kind: "voxels", needed });
    if (needed) await engine.prepare(question, await receiveVoxels(question.volume), reply);
    await engine.answer(question, reply);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await outbox.send({ kind: "failed", error: toWire(error) });
    return;
  }
  await outbox.send({ kind: "done" });
}

async function receiveVoxels({ size, voxelType }: VolumeHeader): Promise<Voxels> {
  const voxels = createVoxels(voxelType, size[0] * size[1] * size[2]);
  for (let received = 0; received < voxels.length; ) {
    const slab = await inbox.expect("slab");
    voxels.set(slab.voxels, slab.offset);
    received = slab.offset + slab.voxels.length;
  }
  return voxels;
}
