import { csvOf } from "../csv.ts";
import type { EvaluationCaseError } from "./errors.ts";
import type { Estimate, Share } from "./estimate.ts";
import type { Row } from "./evaluate.ts";
import type { Summary } from "./summary.ts";

/**
 * One line a target and case; an infinite distance is "inf", what has no value is empty. A case that could not be compared has
 * a line of its own with its problem.
 */
export function casesCsv(rows: readonly Row[], failures: readonly EvaluationCaseError[], toleranceMm: number): string {
  const header = [
    ...["case", "target", "model", "in_reference", "in_prediction", "score", "dice", "surface_dice", "tolerance_mm"],
    ...["hd95_mm", "reference_ml", "prediction_ml", "volume_error_ml", "volume_error_percent", "problem"],
  ];
  const measured = rows.map((row) => [
    ...[row.case, row.target, row.model, row.inReference, row.inPrediction, row.score],
    ...[row.dice, row.surfaceDice, toleranceMm, row.hd95Mm === Number.POSITIVE_INFINITY ? "inf" : row.hd95Mm],
    ...[row.referenceMl, row.predictionMl, row.volumeErrorMl, row.volumeErrorPercent, undefined],
  ]);
  const blank = Array<undefined>(header.length - 2).fill(undefined);
  const failed = failures.map(({ number, message }) => [number, ...blank, message]);
  return csvOf([header, ...measured, ...failed]);
}

const estimates = ["dice", "surfaceDice", "hd95Mm", "volumeErrorMl", "volumeErrorPercent"] as const;
const columns = ["dice", "surface_dice", "hd95_mm", "volume_error_ml", "volume_error_percent"] as const;

/** One line a target: means with the ends of their 95 % intervals, and what presence comes to. */
export function summaryCsv(summaries: readonly Summary[], toleranceMm: number): string {
  const header = [
    ...["target", "model", "cases", "tolerance_mm"],
    ...columns.flatMap((name) => [`${name}_count`, `${name}_mean`, `${name}_low`, `${name}_high`, `${name}_interval`]),
    ...["hd95_infinite", "in_both", "only_in_prediction", "only_in_reference", "in_neither"],
    ...["presence_precision", "precision_low", "precision_high", "presence_recall", "recall_low", "recall_high"],
  ];
  const ofEstimate = (one: Estimate | undefined) => [
    ...[one?.count ?? 0, one?.mean, one?.interval?.low, one?.interval?.high, one?.interval?.method],
  ];
  const ofShare = (one: Share | undefined) => [one?.share, one?.low, one?.high];
  const lines = summaries.map(({ presence, ...one }) => [
    ...[one.target, one.model, one.cases, toleranceMm],
    ...estimates.flatMap((name) => ofEstimate(one[name])),
    ...[one.infiniteHd95, presence.both, presence.onlyPrediction, presence.onlyReference, presence.neither],
    ...ofShare(presence.precision),
    ...ofShare(presence.recall),
  ]);
  return csvOf([header, ...lines]);
}
