import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { environment } from "./environment.ts";
import type { Figure, Report, Suite } from "./figure.ts";

const SUITES = join(import.meta.dirname, "suites");

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false }, series: { type: "string" } },
  allowPositionals: true,
});
const known = (await readdir(SUITES)).map((file) => file.replace(/\.ts$/, "")).sort();
const [name = ""] = positionals;
const series = values.series === undefined ? undefined : Number(values.series);
const isCount = series === undefined || (Number.isInteger(series) && series > 0);
if (!known.includes(name) || positionals.length > 1 || !isCount) {
  console.error(`Usage: npm run bench -- SUITE [--json]; load also --series N\nSuites: ${known.join(", ")}`);
  process.exit(2);
}

const suite: Suite = await import(join(SUITES, `${name}.ts`));
const figures: Figure[] = [];
const report: Report = {
  figure: (figure) => {
    figures.push({ suite: name, ...figure });
    if (values.json) console.log(JSON.stringify({ suite: name, ...figure }));
  },
  note: (text) => console.error(text),
};
await suite.run(report, { ...(series !== undefined && { series }) });
const where = await environment(suite.programs);
if (values.json) {
  console.log(JSON.stringify(where));
} else {
  console.table(figures.map(row), ["figure", "ours", "peer", "ratio", "spread", "runs"]);
  console.log(
    Object.entries(where.versions)
      .map((entry) => entry.join(" "))
      .join(", "),
  );
  console.log(`${where.machine.cpu}, ${where.machine.cores} cores, ${where.machine.memoryGiB} GiB; ${where.commit}`);
}

function row({ name, unit, ours, peer, peerName, ratio, runs, spread }: Figure) {
  return {
    figure: `${name} (${unit})`,
    ours: Number(ours.toPrecision(3)),
    peer: peer === undefined ? "" : `${peer.toPrecision(3)} ${peerName}`,
    ratio: ratio === undefined ? "" : Number(ratio.toFixed(2)),
    spread: `${Math.round(spread * 100)} %`,
    runs,
  };
}
