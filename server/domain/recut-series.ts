import { decodeSeries } from "#converters/dicom/index.ts";
import { answeringModel } from "./answering-model.ts";
import { cutAgain } from "./cut-again.ts";
import { InvalidRequestError } from "./errors.ts";
import { answerOf } from "./findings.ts";
import type { KeptAnswer } from "./kept-answer.ts";
import type { Ports, SeriesRef } from "./ports.ts";
import { withoutSmallPieces } from "./prompt-mask.ts";
import type { SeriesQuestion } from "./question.ts";
import { refuseAnotherSeries } from "./refuse-another-series.ts";
import type { SegmentRun, SegmentSeriesResult } from "./segment-series.ts";
import { Stopwatch } from "./stopwatch.ts";
import type { StoredObject } from "./store-results.ts";
import { storeRevision } from "./store-revision.ts";
import { derivationOf, isStorable, notesOnGrids, storedMask } from "./stored-masks.ts";

export interface RecutRequest extends Pick<SeriesQuestion, "volume" | "resample" | "minimumVolumeMm3"> {
  readonly series: SeriesRef;
  /** By prompt; those left out keep the threshold that their masks were cut at. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** The SEG that was stored of the same answer. */
  readonly of: StoredObject;
}

/**
 * From kept probabilities to another SEG, without inference: fetch and decode for the places and for what is measured, cut,
 * measure, encode, store. @throws as segmentSeries does
 */
export async function recutSeries(
  ports: Pick<Ports, "source" | "sink" | "now" | "newUid">,
  { series: wanted, thresholds, of, volume: volumeIndex, resample, minimumVolumeMm3 = 0 }: RecutRequest,
  kept: KeptAnswer,
  run: SegmentRun,
): Promise<SegmentSeriesResult> {
  const { signal } = run;
  const watch = new Stopwatch<"fetch" | "fetchAndDecode" | "encode" | "store">();
  run.progress("fetch", 0);
  const instances = watch.waiting("fetch", ports.source.instances(wanted, { signal }));
  const series = await watch.time("fetchAndDecode", () =>
    decodeSeries(instances, {
      signal,
      ...(volumeIndex !== undefined && { volume: volumeIndex }),
      ...(resample !== undefined && { resample }),
      padding: "air",
    }),
  );
  refuseAnotherSeries(series.header, wanted);
  run.progress("decode", 1);
  const { volume } = series;
  const { size } = volume.geometry;
  if (size.some((length, axis) => length !== kept.size[axis])) {
    throw new InvalidRequestError("The series has changed since it was segmented. Ask about it again.");
  }

  run.progress("encode", 0);
  const cuts = kept.prompts.map(({ prompt, values }) => ({
    values,
    threshold: thresholds[prompt.id] ?? kept.threshold,
  }));
  let segmentNumber = 0;
  const answers = await watch.time("encode", () =>
    cutAgain(cuts, size, kept.merge).map((mask, n) => {
      const { prompt, score, tracking } = kept.prompts[n]!;
      const whole = withoutSmallPieces({ prompt, mask, score }, volume.geometry, minimumVolumeMm3);
      const answer = answerOf(whole, volume, kept.card, () => ({ segmentNumber: ++segmentNumber, tracking }));
      run.finding(answer.finding);
      return { ...answer, threshold: cuts[n]!.threshold };
    }),
  );
  const segments = answers.flatMap(({ prompt, mask, threshold, finding: { tracking } }) =>
    tracking ? { prompt, mask, tracking, remark: `Threshold ${threshold}` } : [],
  );
  const storable = segments.some(({ mask }) => isStorable(mask, volume));
  const cutAt = [...new Set(cuts.map(({ threshold }) => threshold))].join(", ");
  const seg = storable
    ? await storeRevision(
        ports,
        {
          of,
          series,
          segments: segments.map((segment) => ({ ...segment, mask: storedMask(segment.mask, volume) })),
          ...derivationOf(volume),
          card: kept.card,
          what: `Threshold ${cutAt}, not inferred again`,
          distinguishedBy: { thresholds: cuts.map(({ threshold }) => threshold), minimumVolumeMm3 },
          byPerson: false,
        },
        run,
        watch,
      )
    : undefined;
  run.progress("done", 1);
  return {
    findings: answers.map(({ finding }) => finding),
    ...(seg && { seg }),
    model: answeringModel(kept.card, undefined),
    notes: [
      ...series.notes,
      `Cut again from the probabilities of an earlier job, at ${cutAt}.`,
      ...(segments.length > 0 ? notesOnGrids(volume, storable) : []),
      ...(segments.length > 0 ? [] : ["No voxel lies above these thresholds, so no segmentation was stored."]),
    ],
    seconds: {
      fetch: watch.seconds("fetch"),
      decode: watch.seconds("fetchAndDecode") - watch.seconds("fetch"),
      infer: 0,
      encode: watch.seconds("encode"),
      store: watch.seconds("store"),
    },
  };
}
