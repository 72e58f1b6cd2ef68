import type { Volume } from "#converters/geometry/index.ts";
import { planeSize, unpackBits } from "#converters/mask/index.ts";
import type { InstalledModel } from "#models/index.ts";
import {
  ModelUnavailableError,
  type Prompt,
  type Run,
  type SegmentationModel,
  type SegmentOptions,
  type SliceResult,
} from "#server/domain/index.ts";
import { checkModality, checkPrompts } from "./check-question.ts";
import { describeProvider, type EngineOptions, type ProviderStatus } from "./engine-options.ts";
import { InferenceProcess } from "./inference-process.ts";
import { LeaseQueue } from "./lease-queue.ts";
import type { PackedPlane } from "./protocol.ts";
import type { RemoteKey } from "./remote/remote-key.ts";
import { describeVolume, streamVoxels } from "./stream-voxels.ts";
import { fromWire, isRefusal } from "./wire-error.ts";

/** How a model stands: whether a process holds it, and where it is computed. */
export interface EngineStatus {
  readonly model: string;
  readonly state: "unloaded" | "idle" | "busy";
  /** Of the inference process, where there is one. */
  readonly pid?: number;
  /** Known after the model was loaded for the first time. */
  readonly provider?: ProviderStatus;
  /** Where the model has a process on each of several devices: each by itself. */
  readonly members?: readonly EngineStatus[];
}

/** A model that is computed in a process of its own. */
export interface EngineModel extends SegmentationModel {
  status(): EngineStatus;
  /** Loads and proves it, where it is not loaded; from then on it is not closed for being idle. @throws as `segment` does */
  warm(): Promise<void>;
  /** Closes it when all that were asked of it until now are answered. */
  retire(): Promise<void>;
}

/** The options of one process. */
export interface ProcessOptions extends EngineOptions {
  /** Of the GPUs, the one that it computes on. */
  readonly deviceId?: number;
}

const tenMinutes = 600_000;

/**
 * An installed model behind the domain's port. The process is started at the first question, serves one at a time, is killed
 * to stop it, and is closed when idle; `checkText` refuses prompts that the model cannot know before any of that.
 */
export class ProcessModel implements EngineModel {
  readonly card;
  readonly #installed: InstalledModel;
  readonly #options: ProcessOptions;
  readonly #checkText: (prompts: readonly Prompt[]) => void;
  readonly #queue = new LeaseQueue();
  readonly #disposal = new AbortController();
  #process: InferenceProcess | undefined;
  #loaded = false;
  #provider: ProviderStatus | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #staysWarm = false;

  constructor(installed: InstalledModel, options: ProcessOptions, checkText: (prompts: readonly Prompt[]) => void) {
    this.card = installed.card;
    this.#installed = installed;
    this.#options = options;
    this.#checkText = checkText;
  }

  status(): EngineStatus {
    const pid = this.#process?.alive ? this.#process.pid : undefined;
    return {
      model: this.card.name,
      state: pid === undefined ? "unloaded" : this.#queue.busy ? "busy" : "idle",
      ...(pid !== undefined && { pid }),
      ...(this.#provider && { provider: this.#provider }),
    };
  }

  computedOn(): string | undefined {
    return this.#provider && describeProvider(this.#provider);
  }

  async *segment(
    volume: Volume,
    prompts: readonly Prompt[],
    options: SegmentOptions,
    run: Run,
  ): AsyncGenerator<SliceResult, void, void> {
    checkPrompts(prompts);
    checkModality(volume, this.card);
    this.#checkText(prompts);
    const signal = AbortSignal.any([run.signal, this.#disposal.signal]);
    using _lease = await this.#queue.acquire(signal);
    clearTimeout(this.#idleTimer);
    let process: InferenceProcess | undefined;
    const stop = () => process?.kill(asError(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    let finished = false;
    try {
      process = await this.#awake();
      signal.throwIfAborted();
      process.keepProgramAlive(true);
      await this.#load(process);
      yield* answer(process, volume, prompts, options, {
        ...run,
        signal,
        progress: rising(run),
        note: (text) => run.note(text),
      });
      finished = true;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      // What refuses to load ends by itself, a moment later.
      finished = this.#loaded && isRefusal(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
      if (finished) process?.keepProgramAlive(false);
      else process?.kill();
      if (!this.#staysWarm) {
        this.#idleTimer = setTimeout(() => process?.kill(), this.#options.idleMs ?? tenMinutes).unref();
      }
    }
  }

  async warm(): Promise<void> {
    this.#staysWarm = true;
    using _lease = await this.#queue.acquire(this.#disposal.signal);
    clearTimeout(this.#idleTimer);
    const process = await this.#awake();
    this.#disposal.signal.throwIfAborted();
    process.keepProgramAlive(true);
    try {
      await this.#load(process);
      process.keepProgramAlive(false);
    } catch (error) {
      process.kill();
      throw this.#disposal.signal.aborted ? asError(this.#disposal.signal.reason) : error;
    }
  }

  async retire(): Promise<void> {
    // Closed meanwhile, it has nobody to wait for.
    using _last = await this.#queue.acquire(this.#disposal.signal).catch(() => undefined);
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort(new ModelUnavailableError("The model was closed."));
    clearTimeout(this.#idleTimer);
    this.#process?.kill();
    await this.#process?.exited;
  }

  /** The living process, or a new one once the old one is gone: two would need the memory of both. */
  async #awake(): Promise<InferenceProcess> {
    if (this.#process?.alive) return this.#process;
    await this.#process?.exited;
    this.#process = new InferenceProcess(this.#options.logger);
    this.#loaded = false;
    return this.#process;
  }

  async #load(process: InferenceProcess): Promise<void> {
    if (this.#loaded) return;
    const { executionProvider = "cpu", threads, sliceBatch, anticipate, deviceId, logger } = this.#options;
    const { folder, engine } = this.#installed;
    const key = keyFor(engine, this.#options);
    const started = performance.now();
    const { sha256 } = this.card;
    await process.send({
      kind: "load",
      engine,
      folder,
      sha256,
      executionProvider,
      deviceId,
      threads,
      sliceBatch,
      anticipate,
      key,
    });
    const message = await process.receive();
    if (message.kind === "failed") throw fromWire(message.error);
    if (message.kind !== "ready") throw new Error(`"${message.kind}" came instead of "ready"`);
    this.#provider = message.provider as ProviderStatus;
    this.#loaded = true;
    logger?.info({
      event: "model.loaded",
      model: this.card.name,
      ms: performance.now() - started,
      ...message.provider,
    });
  }
}

async function* answer(
  process: InferenceProcess,
  volume: Volume,
  prompts: readonly Prompt[],
  options: SegmentOptions,
  run: Run,
): AsyncGenerator<SliceResult, void, void> {
  run.progress("prepare", 0);
  const header = await describeVolume(volume, run.signal);
  const asked = prompts.map(({ id, text }) => ({ id, text }));
  await process.send({ kind: "begin", volume: header, prompts: asked, ...options });
  for (;;) {
    const message = await process.receive();
    switch (message.kind) {
      case "voxels":
        if (!message.needed) break;
        await streamVoxels(volume, process, {
          signal: run.signal,
          progress: (fraction) => run.progress("prepare", fraction * shareOfSending),
        });
        break;
      case "progress":
        run.progress(message.stage, message.fraction);
        break;
      case "note":
        run.note(message.text);
        break;
      case "planes":
        for (const plane of message.planes) {
          run.signal.throwIfAborted();
          yield unpack(plane, header.size);
        }
        await process.send({ kind: "took" });
        break;
      case "done":
        return;
      case "failed":
        throw fromWire(message.error);
      default:
        throw new Error(`"${message.kind}" came in the middle of a run`);
    }
  }
}

/** A key goes to the engine that it is for, and to no other. */
function keyFor(engine: InstalledModel["engine"], { remoteKeys }: EngineOptions): RemoteKey | undefined {
  if (engine === "azure-ml") return remoteKeys?.azureMl;
  return engine === "open-inference" ? remoteKeys?.openInference : undefined;
}

/** Of the stage "prepare", the part in which voxels are sent. */
const shareOfSending = 0.3;

function unpack(
  { bits, existence, probability, edges, disagreement, ...where }: PackedPlane,
  size: Volume["geometry"]["size"],
): SliceResult {
  const [width, height] = planeSize(size, where.axis);
  return {
    ...where,
    existence,
    ...(bits && { mask: unpackBits(bits, 0, width * height) }),
    ...(probability && { probability }),
    ...(edges && { edges: unpackBits(edges, 0, width * height) }),
    ...(disagreement !== undefined && { disagreement }),
  };
}

/** Progress that never runs backwards within a stage. */
function rising(run: Run): Run["progress"] {
  const reached = new Map<string, number>();
  return (stage, fraction) => {
    if (fraction <= (reached.get(stage) ?? -1)) return;
    reached.set(stage, fraction);
    run.progress(stage, fraction);
  };
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
