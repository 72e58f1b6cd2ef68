import type { JobView, SubmitJob } from "#server/contract/index.ts";
import { ApiProblemError } from "../api/errors.ts";
import { followJob, hasEnded } from "../api/follow-job.ts";
import { findingLine } from "../texts.ts";
import type { Desk } from "./desk.ts";
import type { Overlays } from "./overlays.ts";
import {
  type ActiveSeries,
  afterEvent,
  nameOf,
  promptsOf,
  resampled,
  seriesOf,
  withAskedAgain,
  withJobs,
} from "./panel-state.ts";

/** Prompts, or all that the models recommend. */
export type Asked = ({ readonly prompts: readonly string[] } | { readonly recognise: true }) & {
  /** Slices that are no regular grid are put onto one. */
  readonly resample?: boolean;
  /** Computed anew even where nothing has changed since it was answered. */
  readonly force?: boolean;
};

/** Asking, watching and cancelling. */
export interface Questions {
  /** @returns the job as it ended; undefined where it was not taken or is not known any more: the state tells why */
  ask(what: Asked, series?: ActiveSeries): Promise<JobView | undefined>;
  /** Asks once more what a job asked; `resample` as then, unless told. @returns as `ask` */
  askAgain(jobId: string, options?: Pick<Asked, "resample" | "force">): Promise<JobView | undefined>;
  /** Watches a job that the server has taken, and presents its end. */
  attend(job: JobView): Promise<JobView>;
  follow(jobId: string): Promise<JobView>;
  cancel(jobId: string): Promise<void>;
}

export function createQuestions(desk: Desk, overlays: Overlays): Questions {
  const { api, viewer, texts, store, signal, wait, options } = desk;
  const followed = new Map<string, Promise<JobView>>();

  function follow(jobId: string): Promise<JobView> {
    const running = followed.get(jobId);
    if (running) return running;
    const ended = (async () => {
      const onContact = (contact: boolean) => (contact ? desk.reached() : desk.lost());
      const following = { signal, wait, onContact, onRefusal: desk.refuse };
      for await (const event of followJob(api, jobId, following)) {
        if (event.type === "preview") {
          overlays.preview(jobId, event);
          continue;
        }
        desk.change(jobId, (old) => ({ ...old, job: afterEvent(old.job, event) }));
        if (event.type === "state" && event.job.state === "running") overlays.prepare(jobId);
        if (event.type === "finding")
          desk.announce(`${event.finding.prompt.text}: ${findingLine(event.finding, texts)}`);
      }
      const job = await api.call("readJob", { params: { id: jobId }, signal });
      store.update((state) => withJobs(state, [job]));
      desk.change(jobId, (old) => ({ ...old, cancelling: false }));
      if (job.state !== "succeeded") overlays.endPreview(jobId);
      return job;
    })();
    const kept = ended.finally(() => followed.delete(jobId));
    followed.set(jobId, kept);
    return kept;
  }

  async function presentEnd(job: JobView): Promise<void> {
    const prompts = nameOf(job, texts);
    if (job.state === "failed") {
      const why = job.problem?.detail ?? job.problem?.title ?? "";
      desk.announce(`${prompts}: ${why}`);
      viewer.notify(`${prompts}: ${why}`, "error");
    } else if (job.state === "cancelled") {
      desk.announce(`${prompts}: ${texts.cancelled}`);
    } else {
      // Of all that was recommended, what is not there is a long list.
      const told = promptsOf(job).length === 0 ? job.findings.filter(({ present }) => present) : job.findings;
      const lines = told.map((finding) => `${finding.prompt.text}: ${findingLine(finding, texts)}`);
      await overlays.show(job.id);
      overlays.endPreview(job.id);
      const at = job.findings.find(({ present }) => present)?.components[0]?.centroidLps;
      if (at && job.request.kind === "series") viewer.jumpTo(job.request, at);
      desk.announce(lines.join("; "));
      viewer.notify(lines.join("; "), "success");
    }
  }

  async function attend(submitted: JobView): Promise<JobView> {
    // An earlier answer is whole: what its job told in its time would be shown as if it happened now.
    const job = hasEnded(submitted.state) ? submitted : await follow(submitted.id);
    await presentEnd(job);
    return job;
  }

  /** The server is told where to begin, so that the slice that is looked at comes first. */
  function firstSlice(series: ActiveSeries): { readonly fromSlice?: number } {
    const active = viewer.activeSeries();
    const slice = active?.seriesInstanceUid === series.seriesInstanceUid ? viewer.sliceInView() : undefined;
    return slice === undefined ? {} : { fromSlice: slice };
  }

  async function submit(what: Asked, series: ActiveSeries): Promise<JobView | undefined> {
    const where = { studyInstanceUid: series.studyInstanceUid, seriesInstanceUid: series.seriesInstanceUid };
    const { preview, keepProbabilities, model, ...asked } = options;
    const common = { ...where, ...(model !== undefined && { model }) };
    const { resample, force } = what;
    const body: SubmitJob =
      "recognise" in what
        ? { ...common, ...what }
        : {
            ...common,
            ...asked,
            ...(asked.outputs && { outputs: [...asked.outputs] }),
            ...(preview && { preview, ...firstSlice(series) }),
            ...(resample && { resample }),
            ...(force && { force }),
            ...(keepProbabilities && { keepProbabilities }),
            prompts: [...what.prompts],
          };
    store.update(({ refusal: _answered, ...state }) => ({ ...state, submitting: true }));
    try {
      const job = await api.call("submitJob", { body, signal });
      desk.reached();
      store.update((state) => withAskedAgain(withJobs(state, [job]), job.id));
      const name = nameOf(job, texts);
      desk.announce(hasEnded(job.state) ? texts.answeredBefore(name) : texts.started(name));
      return job;
    } catch (error) {
      signal.throwIfAborted();
      desk.refuse(error);
      return undefined;
    } finally {
      store.update((state) => ({ ...state, submitting: false }));
    }
  }

  async function ask(what: Asked, given?: ActiveSeries): Promise<JobView | undefined> {
    const series = given ?? viewer.activeSeries();
    if (!series) {
      store.update((state) => ({ ...state, refusal: { text: texts.noSeries }, announcement: texts.noSeries }));
      return undefined;
    }
    try {
      const submitted = await submit(what, series);
      return submitted && (await attend(submitted));
    } catch (error) {
      if (!signal.aborted) desk.refuse(error);
      return undefined;
    }
  }

  return {
    follow,
    attend,
    ask,
    askAgain: async (jobId, options) => {
      const job = desk.entry(jobId)?.job;
      const series = job && seriesOf(job);
      if (!series) return undefined;
      const resample = options?.resample ?? resampled(job);
      const prompts = promptsOf(job);
      const what = prompts.length > 0 ? { prompts } : ({ recognise: true } as const);
      return ask({ ...what, ...(resample && { resample }), ...(options?.force && { force: true }) }, series);
    },
    cancel: async (jobId) => {
      const cancelling = (value: boolean) => desk.change(jobId, (old) => ({ ...old, cancelling: value }));
      cancelling(true);
      try {
        const job = await api.call("cancelJob", { params: { id: jobId }, signal });
        store.update((state) => withJobs(state, [job]));
        overlays.endPreview(jobId);
      } catch (error) {
        // It ended in the meantime: its own events tell how.
        if (error instanceof ApiProblemError && error.problem.code === "job-conflict") return;
        cancelling(false);
        desk.inBackground(() => Promise.reject(error));
      }
    },
  };
}
