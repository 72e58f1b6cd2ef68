import { type Estimate, estimate, type Share, shareOf } from "./estimate.ts";
import type { Row } from "./evaluate.ts";

/** One target, over the cases in which a model was asked for it. */
export interface Summary {
  readonly target: string;
  readonly model?: string;
  readonly cases: number;
  /** Over cases in which reference or prediction has the target; 0 where only one has. */
  readonly dice?: Estimate;
  readonly surfaceDice?: Estimate;
  /** Over cases in which both have it: where one has not, it is infinite. */
  readonly hd95Mm?: Estimate;
  readonly infiniteHd95: number;
  readonly volumeErrorMl?: Estimate;
  readonly volumeErrorPercent?: Estimate;
  /** Whether it is there at all: one voxel is enough. */
  readonly presence: {
    readonly both: number;
    readonly onlyPrediction: number;
    readonly onlyReference: number;
    readonly neither: number;
    readonly precision?: Share;
    readonly recall?: Share;
  };
}

/** Each target of each model by itself, in the order in which they came. */
export function summarise(rows: readonly Row[]): readonly Summary[] {
  return [...Map.groupBy(rows, ({ target, model }) => JSON.stringify([target, model])).values()].map(summaryOf);
}

function summaryOf(rows: readonly Row[]): Summary {
  const [{ target, model }] = rows as readonly [Row, ...Row[]];
  const of = (figure: "dice" | "surfaceDice" | "hd95Mm" | "volumeErrorMl" | "volumeErrorPercent") =>
    rows.map((row) => row[figure]).filter((value) => value !== undefined && Number.isFinite(value)) as number[];
  const count = (inReference: boolean, inPrediction: boolean) =>
    rows.filter((row) => row.inReference === inReference && row.inPrediction === inPrediction).length;
  const [both, onlyPrediction] = [count(true, true), count(false, true)];
  const [onlyReference, neither] = [count(true, false), count(false, false)];
  const estimates = {
    dice: estimate(of("dice"), [0, 1]),
    surfaceDice: estimate(of("surfaceDice"), [0, 1]),
    hd95Mm: estimate(of("hd95Mm"), [0, Infinity]),
    volumeErrorMl: estimate(of("volumeErrorMl")),
    volumeErrorPercent: estimate(of("volumeErrorPercent"), [-100, Infinity]),
  };
  const [precision, recall] = [shareOf(both, both + onlyPrediction), shareOf(both, both + onlyReference)];
  return {
    target,
    ...(model !== undefined && { model }),
    cases: rows.length,
    ...(Object.fromEntries(Object.entries(estimates).filter(([, one]) => one !== undefined)) as Partial<
      Record<keyof typeof estimates, Estimate>
    >),
    infiniteHd95: onlyPrediction + onlyReference,
    presence: {
      both,
      onlyPrediction,
      onlyReference,
      neither,
      ...(precision && { precision }),
      ...(recall && { recall }),
    },
  };
}
