import { tmpdir } from "node:os";
import type { ModelStore } from "#models/index.ts";
import type { WarmState } from "#server/engines/index.ts";
import { type JobRunner, type RoomCheck, runInWorker, type WorkerOffer, withStageLimits } from "#server/jobs/index.ts";
import { type ComputedOn, rememberingDevices } from "./computed-on.ts";
import type { Config } from "./config.ts";
import type { Logger } from "./logger.ts";
import { createDiskCheck, createRoomCheck, describeDevice } from "./machine.ts";
import { watchWarming } from "./warming.ts";

/** How jobs are done on this machine. Disposing ends the thread and its inference processes. */
export interface Work extends AsyncDisposable {
  /** Absent where other machines do them. */
  readonly run?: JobRunner;
  /** What models were computed on here; absent where other machines do the jobs. */
  readonly computedOn?: ComputedOn;
  /** Whether the models that are to be warm are; absent where none is. */
  readonly warm?: () => Promise<string>;
  /** What is told to the other processes. */
  readonly offer: () => Promise<WorkerOffer>;
  /** Why no job is begun now. */
  readonly room: RoomCheck;
  /** Why no job is accepted now. */
  readonly disk: RoomCheck;
}

export interface WorkParts {
  readonly store: ModelStore;
  readonly version: string;
  /** False: other machines do the jobs. */
  readonly works: boolean;
}

/** Jobs in a thread of their own, each stage within its limit. The thread starts at once. */
export function openWork(config: Config, logger: Logger, { store, version, works }: WorkParts): Work {
  const entry = new URL("./worker.ts", import.meta.url);
  const warming = watchWarming(config.inference.warm);
  const thread = works
    ? runInWorker({ entry, logger, workerData: config, onNotice: (notice) => warming.heard(notice as WarmState) })
    : undefined;
  const remembering = thread && rememberingDevices(thread.run);
  const { executionProvider } = config.inference;
  const room = roomNeeded(config);
  return {
    ...(remembering && {
      run: withStageLimits(remembering.run, config.worker.stageLimits),
      computedOn: remembering.computedOn,
    }),
    ...(works && config.inference.warm.length > 0 && { warm: async () => warming.check() }),
    offer: async () => ({
      version,
      device: await describeDevice(executionProvider),
      models: (await offeredModels(config, store)).map(({ card }) => card),
    }),
    room: createRoomCheck(room),
    disk: createDiskCheck(room),
    [Symbol.asyncDispose]: async () => thread?.[Symbol.asyncDispose](),
  };
}

/** The installed models that this process answers with. */
export async function offeredModels({ worker }: Config, store: ModelStore) {
  const installed = await store.list();
  return worker.models === undefined ? installed : installed.filter(({ card }) => worker.models?.includes(card.name));
}

/** Uploads lie in the system's temporary folder, all else in the data folder. */
export function roomNeeded({ dataFolder, worker }: Config) {
  const { minFreeDiskBytes: diskBytes, minFreeMemoryBytes: memoryBytes } = worker;
  const folders = [
    { called: "the data folder", path: dataFolder },
    { called: "the system's temporary files", path: tmpdir() },
  ];
  return { folders, diskBytes, memoryBytes };
}
