import { decodeSeries } from "#converters/dicom/index.ts";
import type { ModelCard } from "#models/index.ts";
import type { Finding } from "./finding.ts";
import { findingOf } from "./findings.ts";
import { jobKey } from "./job-key.ts";
import { notesInto } from "./notes-into.ts";
import type { MergeMode, Ports, Run, SeriesRef } from "./ports.ts";
import type { Prompt } from "./prompt.ts";
import { refuseAnotherSeries } from "./refuse-another-series.ts";
import { segmentVolume } from "./segment-volume.ts";
import { Stopwatch } from "./stopwatch.ts";
import { type StoredSeg, storeSeg } from "./store-seg.ts";

export interface SegmentSeriesRequest {
  readonly series: SeriesRef;
  readonly prompts: readonly Prompt[];
  /** A model by name; otherwise the best installed one for the modality and the prompts. */
  readonly model?: string;
  readonly merge?: MergeMode;
}

export interface SegmentSeriesResult {
  readonly findings: readonly Finding[];
  /** Absent where no prompt was found: an empty SEG is never stored. */
  readonly seg?: StoredSeg;
  readonly model: AnsweringModel;
  /** What the user should know of this result, in plain words. */
  readonly notes: readonly string[];
  readonly seconds: Readonly<Record<"fetch" | "decode" | "infer" | "encode" | "store", number>>;
}

export type AnsweringModel = Pick<ModelCard, "name" | "version" | "title" | "trained">;

/** How a run is watched: its stages, and each finding as soon as it is known. */
export interface SegmentRun extends Run {
  finding(finding: Finding): void;
}

/**
 * From a prompt to a DICOM SEG beside the scan: describe, choose the model, fetch, decode, infer, measure, encode,
 * check by reading back, store. Nothing is stored where any step fails.
 * @throws every DomainError of the ports and of decodeSeries; the signal's reason after an abort
 */
export async function segmentSeries(
  ports: Ports,
  request: SegmentSeriesRequest,
  run: SegmentRun,
): Promise<SegmentSeriesResult> {
  const { source, models, now, newUid } = ports;
  const { series: wanted, prompts, merge = "exclusive" } = request;
  const { signal } = run;
  const watch = new Stopwatch<"describe" | "fetch" | "fetchAndDecode" | "infer" | "encode" | "store">(now);

  run.progress("fetch", 0);
  const { modality, instanceCount } = await watch.time("describe", () => source.describe(wanted, { signal }));
  const model = await models.choose({ modality, prompts, ...(request.model && { name: request.model }) });

  const instances = watch.waiting("fetch", source.instances(wanted, { signal }));
  const onInstance = (count: number) =>
    run.progress("fetch", Math.min(1, count / Math.max(1, instanceCount)), `${count}/${instanceCount}`);
  const series = await watch.time("fetchAndDecode", () => decodeSeries(instances, { signal, onInstance }));
  refuseAnotherSeries(series.header, wanted);
  run.progress("decode", 1);

  const { volume } = series;
  const notes = [...series.notes];
  const noting = notesInto(notes, run);
  const options = { merge, probabilities: false };
  const masks = await watch.time("infer", () => segmentVolume(model, volume, prompts, options, noting));
  signal.throwIfAborted();

  run.progress("encode", 0);
  const key = jobKey({
    sopInstanceUids: volume.sources.map(({ sopInstanceUid }) => sopInstanceUid),
    modelSha256: model.card.sha256,
    prompts,
    options: { merge },
  });
  let segmentNumber = 0;
  const answers = await watch.time("encode", () =>
    masks.map((promptMask) => {
      const { text } = promptMask.prompt;
      const finding = findingOf(promptMask, volume.geometry, model.card, () => ({
        segmentNumber: ++segmentNumber,
        tracking: { id: text.slice(0, 64), uid: newUid(key, `tracking: ${text}`) },
      }));
      run.finding(finding);
      return { ...promptMask, finding };
    }),
  );

  const seg =
    segmentNumber > 0 ? await storeSeg(ports, { key, series, answers, card: model.card }, run, watch) : undefined;
  run.progress("done", 1);
  const { name, version, title, trained } = model.card;
  return {
    findings: answers.map(({ finding }) => finding),
    ...(seg && { seg }),
    model: { name, version, title, trained },
    notes: [...notes, ...(seg ? [] : ["Nothing that was asked for was found, so no segmentation was stored."])],
    seconds: {
      fetch: watch.seconds("describe") + watch.seconds("fetch"),
      decode: watch.seconds("fetchAndDecode") - watch.seconds("fetch"),
      infer: watch.seconds("infer"),
      encode: watch.seconds("encode"),
      store: watch.seconds("store"),
    },
  };
}
