import { encode } from "html-entities";
import type { EvaluationCaseError } from "./errors.ts";
import type { Row } from "./evaluate.ts";
import type { CasePicture } from "./pictures.ts";
import type { Summary } from "./summary.ts";
import { estimateInWords, figure, shareInWords } from "./words.ts";

export interface Report {
  readonly version: string;
  readonly toleranceMm: number;
  readonly rows: readonly Row[];
  /** Cases that could not be compared, or not in all their targets. */
  readonly failures: readonly EvaluationCaseError[];
  readonly summaries: readonly Summary[];
  readonly pictures: readonly CasePicture[];
  /** Rows that have no picture here. */
  readonly picturesLeft: number;
}

const style = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
th, td { text-align: right; padding: .25rem .7rem; border-bottom: 1px solid #8884; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child, .word { text-align: left; }
img { max-width: 100%; display: block; }
figure { margin: 0 0 2rem; }
.notice { border-left: 4px solid #c33; padding: .5rem 1rem; background: #8883; }
`;

/** One page that needs nothing beside it: pictures lie in it, and it loads nothing. Cases go by their numbers alone. */
export function reportPage({
  version,
  toleranceMm,
  rows,
  failures,
  summaries,
  pictures,
  picturesLeft,
}: Report): string {
  const cases = new Set(rows.map((row) => row.case)).size;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Evaluation</title>
<style>${style}</style>
</head>
<body>
<h1>Evaluation of ${cases} ${cases === 1 ? "case" : "cases"}</h1>
<p class="notice"><strong>Research use only.</strong> Parse3D ${encode(version)}. The pictures show the images that were evaluated: they are data as those are.</p>
${notCompared(failures)}<h2>By target</h2>
${table(
  [
    "target",
    "model",
    "cases",
    "Dice",
    `surface Dice at ${toleranceMm} mm`,
    "HD95, mm",
    "volume error, mL",
    "volume error, %",
    "presence precision",
    "presence recall",
  ],
  summaries.map((one) => [
    ...[one.target, one.model ?? "given", String(one.cases)],
    ...[estimateInWords(one.dice, 3), estimateInWords(one.surfaceDice, 3)],
    estimateInWords(one.hd95Mm, 2) + (one.infiniteHd95 > 0 ? `; infinite in ${one.infiniteHd95}` : ""),
    ...[estimateInWords(one.volumeErrorMl, 2), estimateInWords(one.volumeErrorPercent, 1)],
    ...[shareInWords(one.presence.precision), shareInWords(one.presence.recall)],
  ]),
)}
<p>Means; in brackets the 95 % interval: Student's t below 30 values, a bootstrap from 30 on, Wilson's for shares; none of a
single value. A volume error is the prediction's surplus. Dice counts 0 where only one of the two has the target, and not where neither has.</p>
<h2>By case</h2>
${table(
  ["case", "target", "model", "Dice", "surface Dice", "HD95, mm", "reference, mL", "prediction, mL", "score"],
  rows.map((row) => [
    ...[String(row.case), row.target, row.model ?? "given", figure(row.dice, 3), figure(row.surfaceDice, 3)],
    ...[figure(row.hd95Mm, 2), figure(row.referenceMl, 2), figure(row.predictionMl, 2)],
    figure(row.score ?? undefined, 2),
  ]),
)}
<h2>Pictures</h2>
<p>Green: the reference's outline. Orange: the prediction's. Lowest Dice first${picturesLeft > 0 ? `; ${picturesLeft} better ones are left out` : ""}.</p>
${pictures.map(figureOf).join("\n")}
</body>
</html>
`;
}

function notCompared(failures: readonly EvaluationCaseError[]): string {
  if (failures.length === 0) return "";
  return `<h2>Not compared</h2>
<p class="notice">The figures below leave these cases out.</p>
<ul>${failures.map(({ message }) => `<li>${encode(message)}</li>`).join("\n")}</ul>
`;
}

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (tag: "th" | "td", cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${encode(cell)}</${tag}>`).join("")}</tr>`;
  return `<table>\n${row("th", head)}\n${lines.map((cells) => row("td", cells)).join("\n")}\n</table>`;
}

function figureOf({ row, png }: CasePicture): string {
  const words = `Case ${row.case}, ${row.target}${row.model ? `, ${row.model}` : ""}: Dice ${figure(row.dice, 3)}, HD95 ${figure(row.hd95Mm, 2)} mm`;
  const data = Buffer.from(png).toString("base64");
  return `<figure><figcaption>${encode(words)}</figcaption><img alt="${encode(words)}" src="data:image/png;base64,${data}"></figure>`;
}
