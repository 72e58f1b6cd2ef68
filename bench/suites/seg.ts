import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { decodeSeg, decodeSeries } from "#converters/dicom/index.ts";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import { compare, type Report, type Suite } from "../figure.ts";
import { interleave } from "../interleave.ts";
import { TELLING_NODE_OPTIONS, toldPeakMiB } from "../peak-memory.ts";
import { installPeers } from "../peers.ts";

const SLICES = 300;
const SIDE = 512;
const ROUNDS = 3;
const PROCESS = join(import.meta.dirname, "../seg-process.ts");

export const programs: Suite["programs"] = {};

interface Sample {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly frames: number;
}

/** A SEG of 1 and of 20 segments on a CT of 300 slices: our writer beside dcmqi (@itk-wasm/dicom), as whole processes. */
export async function run(report: Report): Promise<void> {
  await installPeers(report.note);
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  try {
    const series = join(folder, "series");
    await mkdir(series);
    const instances = [...syntheticCt(SLICES, SIDE, "seg").instances()];
    for (const [k, bytes] of instances.entries()) await writeFile(join(series, `${k}.dcm`), bytes);
    const { volume } = await decodeSeries(instances);
    for (const [count, columns, rows] of [
      [1, 1, 1],
      [20, 5, 4],
    ] as const) {
      const labels = join(folder, `labels-${count}`);
      await writeFile(labels, ellipsoids(columns, rows));
      await writeFile(`${labels}.json`, JSON.stringify(volume.geometry));
      const by = (way: string) => () => written(way, series, labels, count, join(folder, "seg.dcm"));
      report.note(`${count} segments, ${ROUNDS} rounds ...`);
      const samples = await interleave<"ours" | "dcmqi", Sample>(ROUNDS, { ours: by("ours"), dcmqi: by("dcmqi") });
      const frames = new Set([...samples.ours, ...samples.dcmqi].map((sample) => sample.frames));
      if (frames.size > 1) throw new Error(`the SEGs have ${[...frames].join(" and ")} frames`);
      for (const [unit, value] of [
        ["s", ({ seconds }: Sample) => seconds],
        ["peak MiB", ({ peakMiB }: Sample) => peakMiB],
      ] as const) {
        const peer = { name: "dcmqi", samples: samples.dcmqi.map(value) };
        report.figure(compare(`${count} segments, ${[...frames][0]} frames`, unit, samples.ours.map(value), peer));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ellipsoids beside each other, half as high as the series, numbered from 1. */
function ellipsoids(columns: number, rows: number): Uint8Array {
  const labels = new Uint8Array(SIDE * SIDE * SLICES);
  const [wide, high] = [SIDE / columns, SIDE / rows];
  for (let k = 0, n = 0; k < SLICES; k++) {
    for (let j = 0; j < SIDE; j++) {
      for (let i = 0; i < SIDE; i++, n++) {
        const [column, row] = [Math.floor(i / wide), Math.floor(j / high)];
        const x = (i - (column + 0.5) * wide) / (wide * 0.4);
        const y = (j - (row + 0.5) * high) / (high * 0.4);
        const z = (k - SLICES / 2) / (SLICES / 4);
        if (x * x + y * y + z * z < 1) labels[n] = row * columns + column + 1;
      }
    }
  }
  return labels;
}

async function written(way: string, series: string, labels: string, count: number, output: string): Promise<Sample> {
  const begun = performance.now();
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [PROCESS, way, series, labels, String(count), output],
    {
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        NODE_OPTIONS: TELLING_NODE_OPTIONS,
      },
    },
  );
  const seconds = (performance.now() - begun) / 1000;
  const { segments, frames } = decodeSeg(new Uint8Array(await readFile(output)));
  if (segments.length !== count) throw new Error(`${way} wrote ${segments.length} segments`);
  await rm(output);
  return { seconds, peakMiB: toldPeakMiB(stderr), frames: frames.length };
}
