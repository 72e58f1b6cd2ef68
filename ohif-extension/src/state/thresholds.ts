import type { JobView } from "#server/contract/index.ts";
import { type LabelCut, labelsCutAt } from "./cut-labels.ts";
import type { Desk } from "./desk.ts";
import type { Overlays } from "./overlays.ts";
import { withJobs } from "./panel-state.ts";
import type { Questions } from "./questions.ts";
import type { VolumeShape } from "./viewer-port.ts";

/** Masks cut anew from kept probabilities: in the viewer at once, in the archive when they are saved. */
export interface Thresholds {
  /** The latest wins: an earlier one that is still being drawn is dropped. */
  set(jobId: string, promptId: string, threshold: number): Promise<void>;
  reset(jobId: string): Promise<void>;
  /** @returns the job that stores them, as it ended */
  save(jobId: string): Promise<JobView | undefined>;
}

interface Loaded {
  readonly jobId: string;
  readonly shape: VolumeShape;
  readonly values: ReadonlyMap<string, Uint8Array>;
}

export function createThresholds(desk: Desk, overlays: Overlays, questions: Questions): Thresholds {
  const { api, viewer, store, signal } = desk;
  /** Of one job: a volume of bytes for each prompt. */
  let loaded: Promise<Loaded> | undefined;
  let loadedId: string | undefined;
  let drawing: AbortController | undefined;

  async function load(job: JobView): Promise<Loaded> {
    const values = new Map<string, Uint8Array>();
    let shape: VolumeShape | undefined;
    for (const promptId of job.result?.probabilities?.prompts ?? []) {
      const { bytes, header } = await api.bytes("readProbabilities", { params: { id: job.id, promptId }, signal });
      shape = {
        columns: Number(header("Parse3D-Columns")),
        rows: Number(header("Parse3D-Rows")),
        slices: Number(header("Parse3D-Slices")),
      };
      values.set(promptId, bytes);
    }
    if (!shape) throw new Error("the job keeps no probabilities");
    return { jobId: job.id, shape, values };
  }

  function loadOnce(job: JobView): Promise<Loaded> {
    if (loadedId === job.id && loaded) return loaded;
    loadedId = job.id;
    loaded = load(job);
    loaded.catch(() => {
      loadedId = undefined;
    });
    return loaded;
  }

  async function draw(jobId: string): Promise<void> {
    drawing?.abort();
    const own = new AbortController();
    drawing = own;
    const entry = desk.entry(jobId);
    const kept = entry?.job.result?.probabilities;
    if (!entry || !kept || entry.overlay.kind !== "shown") return;
    const { shape, values } = await loadOnce(entry.job);
    const { thresholds = {} } = desk.entry(jobId) ?? {};
    const cuts: LabelCut[] = entry.job.findings.flatMap(({ prompt, segmentNumber }) => {
      const own = values.get(prompt.id);
      return own && segmentNumber !== undefined
        ? { segmentNumber, values: own, threshold: thresholds[prompt.id] ?? kept.threshold }
        : [];
    });
    // Later segments are numbered later: the order is that of the prompts.
    cuts.sort((a, b) => a.segmentNumber - b.segmentNumber);
    const counts = new Map<number, number>();
    const { segmentationId } = entry.overlay;
    const either = AbortSignal.any([signal, own.signal]);
    try {
      const fits = await viewer.relabel(segmentationId, shape, labelsCutAt(cuts, shape, counts), either);
      if (!fits) throw new Error(desk.texts.cannotCut);
    } catch (error) {
      if (either.aborted) return;
      throw error;
    }
    const cutVoxels = Object.fromEntries(
      entry.job.findings.flatMap(({ prompt, segmentNumber }) =>
        segmentNumber !== undefined && counts.has(segmentNumber) ? [[prompt.id, counts.get(segmentNumber) ?? 0]] : [],
      ),
    );
    desk.change(jobId, (old) => ({ ...old, cutVoxels }));
  }

  const orRefuse = (work: Promise<void>) =>
    work.catch((error: unknown) => {
      if (!signal.aborted) desk.refuse(error);
    });

  return {
    set: (jobId, promptId, threshold) => {
      desk.change(jobId, (old) => ({ ...old, thresholds: { ...old.thresholds, [promptId]: threshold } }));
      return orRefuse(draw(jobId));
    },

    reset: (jobId) => {
      desk.change(jobId, ({ thresholds: _moved, ...old }) => old);
      return orRefuse(draw(jobId));
    },

    save: async (jobId) => {
      const thresholds = desk.entry(jobId)?.thresholds;
      if (!thresholds) return undefined;
      desk.change(jobId, (old) => ({ ...old, saving: true }));
      try {
        const job = await api.call("cutAgain", { params: { id: jobId }, body: { thresholds }, signal });
        store.update((state) => withJobs(state, [job]));
        const ended = await questions.attend(job);
        // What was stored takes the place of what was tried out.
        if (ended.state === "succeeded") {
          desk.change(jobId, ({ thresholds: _saved, cutVoxels: _told, ...old }) => ({ ...old, replaced: true }));
          await draw(jobId);
          overlays.hide(jobId);
        }
        return ended;
      } catch (error) {
        if (!signal.aborted) desk.refuse(error);
        return undefined;
      } finally {
        desk.change(jobId, (old) => ({ ...old, saving: false }));
      }
    },
  };
}
