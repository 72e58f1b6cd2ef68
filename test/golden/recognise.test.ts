import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { writeNifti } from "#converters/nifti/index.ts";
import {
  buildBoltzFormer,
  type InstalledBundle,
  openBundle,
  openModelStore,
  parseNetworkConfig,
  recommendedTargets,
} from "#models/index.ts";
import { deterministicUid, type Finding, type SegmentRun, segmentImage, segmentSeries } from "#server/domain/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { runInProcess } from "../fixtures/onnx-runner.ts";
import { dataPath, describeWithData, readSeries } from "../fixtures/shared-data.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

const now = () => new Date("2026-03-04T05:06:07Z");

function watched(): SegmentRun & { readonly findings: Finding[] } {
  const findings: Finding[] = [];
  const signal = AbortSignal.timeout(250_000);
  return { signal, findings, progress: () => {}, note: () => {}, finding: (finding) => findings.push(finding) };
}

describeWithData("recognition", () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "parse3d-recognise-"));
  });
  afterAll(() => rm(root, { recursive: true }));

  test("density-ct says of an abdominal CT what is in it, and stores nothing", async () => {
    const installed = (await openModelStore(root).ensureBuiltIn()).densityCt as InstalledBundle;
    await using model = createBundleModel(installed);
    const source = {
      describe: async () => ({ modality: "CT", instanceCount: 100 }),
      async *instances() {
        yield* readSeries("ct_abdomen_crlm1004/dicom");
      },
    };
    const sink = {
      store: async () => {
        throw new Error("stored");
      },
    };
    const ports = { source, sink, models: registryOf(model), now, newUid: deterministicUid };
    const { header } = await decodeSeries(readSeries("ct_abdomen_crlm1004/dicom"));
    const series = {
      studyInstanceUid: header.study.StudyInstanceUID,
      seriesInstanceUid: header.series.SeriesInstanceUID,
    };
    const result = await segmentSeries(ports, { series, prompts: [], recognise: true }, watched());
    expect(result.findings).toHaveLength(installed.manifest.targets.length);
    const present = result.findings.filter((finding) => finding.present).map(({ prompt }) => prompt.text);
    expect(present).toEqual(expect.arrayContaining(["bone", "lung", "soft tissue"]));
    const scores = result.findings.filter((finding) => finding.present).map(({ score }) => score!);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(result.findings.findIndex((finding) => !finding.present)).toBe(
      present.length === result.findings.length ? -1 : present.length,
    );
  });

  test("a sampling network is asked for all that is recommended of the modality, more than one run of it takes", async () => {
    const folder = join(root, "small");
    await mkdir(folder);
    const golden = (name: string) => dataPath("boltzformer_golden", name);
    const { config } = JSON.parse(await readFile(golden("small.json"), "utf8"));
    const weights = golden("small.ckpt");
    await buildBoltzFormer({ weights, folder, config: parseNetworkConfig(config), run: runInProcess });
    await using model = createBundleModel((await openBundle(folder)) as InstalledBundle);
    const { geometry, voxels } = twoLamps();
    const pixels = 64 * 64;
    const nifti = writeNifti(
      { geometry: { ...geometry, size: [64, 64, 2] }, voxels: voxels.slice(19 * pixels, 21 * pixels) },
      { gzip: false },
    );
    const run = watched();
    const request = { nifti, modality: "MR", prompts: [], recognise: true, output: "labels" } as const;
    const { findings } = await segmentImage({ models: registryOf(model) }, request, run);
    const texts = findings.map(({ prompt }) => prompt.text);
    expect(texts.toSorted()).toEqual(
      recommendedTargets("MR")
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(texts.length).toBeGreaterThan(64);
    const ranks = findings.map(({ present, score }) => (present ? 2 : 0) + score!);
    expect(ranks).toEqual(ranks.toSorted((a, b) => b - a));
    const sighted = run.findings.slice(0, -findings.length).map(({ prompt }) => prompt.text);
    expect(sighted.toSorted()).toEqual(
      findings.flatMap(({ present, prompt }) => (present ? prompt.text : [])).toSorted(),
    );
  });
});
