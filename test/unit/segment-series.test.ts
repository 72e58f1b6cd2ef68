import { beforeEach, describe, expect, test } from "vitest";
import { decodeSeg, readPart10 } from "#converters/dicom/index.ts";
import {
  deterministicUid,
  type Finding,
  type Ports,
  promptsFrom,
  type SegmentationModel,
  type SegmentRun,
  StoreRejectedError,
  segmentSeries,
} from "#server/domain/index.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { createMemoryArchive, type MemoryArchive } from "../fixtures/memory-archive.ts";
import { type SyntheticCt, syntheticCt } from "../fixtures/synthetic-ct.ts";

const side = 24;
const slices = 9;
const at = new Date("2026-03-04T05:06:07Z");
let archive: MemoryArchive;
let ct: SyntheticCt;
let stored: Uint8Array[];

beforeEach(async () => {
  archive = createMemoryArchive();
  ct = syntheticCt(slices, side);
  for (const instance of ct.instances()) await archive.sink.store(instance, { signal: AbortSignal.timeout(1000) });
  stored = [];
});

function ports(changes: Partial<Ports> = {}): Ports {
  return {
    source: archive.source,
    sink: {
      store: (part10, options) => {
        stored.push(part10);
        return archive.sink.store(part10, options);
      },
    },
    models: registryOf(createFakeModel()),
    now: () => at,
    newUid: deterministicUid,
    ...changes,
  };
}

function watchedRun(): SegmentRun & { readonly stages: string[]; readonly findings: Finding[] } {
  const stages: string[] = [];
  const findings: Finding[] = [];
  return {
    signal: AbortSignal.timeout(20_000),
    stages,
    findings,
    progress: (stage) => {
      if (stages.at(-1) !== stage) stages.push(stage);
    },
    note: () => {},
    finding: (finding) => findings.push(finding),
  };
}

const request = (...words: string[]) => ({ series: ct.series, prompts: promptsFrom(words.map((text) => ({ text }))) });

test("a prompt that is found ends as one segment of a SEG in the same study, and its finding says where", async () => {
  const run = watchedRun();
  const result = await segmentSeries(ports(), request("bright ball"), run);
  expect(run.stages).toEqual(["fetch", "decode", "prepare", "infer", "encode", "store", "done"]);
  expect(stored).toHaveLength(1);
  const seg = decodeSeg(stored[0]!);
  expect(seg.studyInstanceUid).toBe(ct.series.studyInstanceUid);
  expect(seg.referencedSeriesInstanceUid).toBe(ct.series.seriesInstanceUid);
  expect(seg.segments.map(({ label }) => label)).toEqual(["bright ball"]);

  const [finding] = result.findings;
  expect(finding).toMatchObject({ present: true, score: 1, segmentNumber: 1 });
  const inFrames = seg.frames.reduce((sum, _, n) => sum + seg.framePixels(n).reduce((a, b) => a + b, 0), 0);
  expect(finding?.voxels).toBe(inFrames);
  expect(finding?.volumeMl).toBeCloseTo((inFrames * 0.7 * 0.7 * 1.25) / 1000);
  expect(run.findings).toEqual(result.findings);
  expect(result.seg?.sopInstanceUid).toBe(seg.sopInstanceUid);
});

test("absent prompts become findings, not segments, and the numbers of the segments have no gap", async () => {
  const result = await segmentSeries(ports(), request("unicorn", "bright", "griffin", "dark"), watchedRun());
  expect(result.findings.map(({ present, segmentNumber }) => [present, segmentNumber])).toEqual([
    [false, undefined],
    [true, 1],
    [false, undefined],
    [true, 2],
  ]);
  expect(decodeSeg(stored[0]!).segments.map(({ label }) => label)).toEqual(["bright", "dark"]);
});

test("where everything is absent nothing is stored, and the result says so", async () => {
  const result = await segmentSeries(ports(), request("unicorn"), watchedRun());
  expect(stored).toEqual([]);
  expect(result.seg).toBeUndefined();
  expect(result.notes.join(" ")).toContain("no segmentation was stored");
});

test("the same question gives the same file to the byte; another prompt gives other UIDs", async () => {
  await segmentSeries(ports(), request("bright"), watchedRun());
  await segmentSeries(ports(), request("bright"), watchedRun());
  await segmentSeries(ports(), request("bright thing"), watchedRun());
  const [first, again, other] = stored;
  expect(again).toEqual(first);
  expect(decodeSeg(other!).sopInstanceUid).not.toBe(decodeSeg(first!).sopInstanceUid);
});

test("the caller's own code names the segment", async () => {
  const code = { value: "64033007", scheme: "SCT", meaning: "Kidney" };
  await segmentSeries(ports(), { series: ct.series, prompts: promptsFrom([{ text: "bright", code }]) }, watchedRun());
  expect(decodeSeg(stored[0]!).segments[0]?.codes?.type).toEqual(code);
});

test("how the model works is what its card says, in the SEG and in the findings, trained or not", async () => {
  const answer = async (card: Parameters<typeof createFakeModel>[0]) => {
    stored = [];
    const models = registryOf(createFakeModel(card));
    const { findings } = await segmentSeries(ports({ models }), request("bright", "unicorn"), watchedRun());
    const written = JSON.stringify(readPart10(stored[0]!, { stopBeforePixels: true }).dataSet);
    const notes = findings.map((finding) => finding.notes.join(" "));
    return { notes, family: ["123110", "123105"].filter((code) => written.includes(`"${code}"`)) };
  };
  const rules = "Answered by density rules, not by a trained network.";
  expect(await answer({ algorithmFamily: "density-rules" })).toEqual({
    notes: [expect.stringContaining(rules), expect.stringContaining(rules)],
    family: ["123105"],
  });
  const untrained = await answer({ algorithmFamily: "artificial-intelligence", trained: false });
  expect(untrained.family).toEqual(["123110"]);
  expect(untrained.notes.join()).toMatch(/not known that it was trained/);
  expect(untrained.notes.join()).not.toMatch(/rules/);
  const trained = await answer({ algorithmFamily: "artificial-intelligence", trained: true });
  expect(trained.notes.join()).not.toMatch(/rules|not known that/);
});

test("the result tells the licence and the intended use of its model", async () => {
  const models = registryOf(
    createFakeModel({ licence: "CC-BY-NC-SA-4.0", nonCommercial: true, intendedUse: "Phantoms." }),
  );
  const { model } = await segmentSeries(ports({ models }), request("bright"), watchedRun());
  expect(model).toMatchObject({ licence: "CC-BY-NC-SA-4.0", nonCommercial: true, intendedUse: "Phantoms." });
});

test("the SEG says that it is for research use only", async () => {
  await segmentSeries(ports(), request("bright"), watchedRun());
  const { dataSet } = readPart10(stored[0]!, { stopBeforePixels: true });
  expect(JSON.stringify(dataSet).toLowerCase()).toContain("research use only");
});

describe("nothing is stored", () => {
  test("where the series belongs to another study", async () => {
    const other = syntheticCt(slices, side, "another");
    const lying = { ...archive.source, describe: async () => ({ modality: "CT", instanceCount: slices }) };
    const source = {
      ...lying,
      instances: () => archive.source.instances(ct.series, { signal: AbortSignal.timeout(1000) }),
    };
    const asked = { ...request("bright"), series: other.series };
    await expect(segmentSeries(ports({ source }), asked, watchedRun())).rejects.toMatchObject({
      code: "series-not-found",
    });
    expect(stored).toEqual([]);
  });

  test("where one instance is corrupt", async () => {
    const source = {
      ...archive.source,
      async *instances() {
        for (const [k, instance] of [...ct.instances()].entries()) yield k === 4 ? instance.subarray(0, 700) : instance;
      },
    };
    await expect(segmentSeries(ports({ source }), request("bright"), watchedRun())).rejects.toMatchObject({
      code: "unsupported-series",
      reason: "unreadable-instance",
    });
    expect(stored).toEqual([]);
  });

  test("where the instances are of two patients", async () => {
    const other = syntheticCt(slices, side, "ct", "ANOTHER");
    const source = {
      ...archive.source,
      async *instances() {
        const others = [...other.instances()];
        for (const [k, instance] of [...ct.instances()].entries()) yield k === 4 ? others[k]! : instance;
      },
    };
    await expect(segmentSeries(ports({ source }), request("bright"), watchedRun())).rejects.toMatchObject({
      code: "unsupported-series",
      reason: "mixed-patients",
    });
    expect(stored).toEqual([]);
  });

  test("where the run is cancelled while the model works", async () => {
    const cancel = new AbortController();
    const run = watchedRun();
    const cancelling = {
      ...run,
      signal: cancel.signal,
      progress: (stage: string) => {
        if (stage === "infer") cancel.abort(new DOMException("Enough.", "AbortError"));
      },
    };
    await expect(segmentSeries(ports(), request("bright"), cancelling)).rejects.toThrow("Enough.");
    expect(stored).toEqual([]);
  });
});

test("an archive that refuses the SEG fails the run with its reason", async () => {
  const sink = {
    store: () => Promise.reject(new StoreRejectedError("The archive refused.", { failureReason: 0xa700 })),
  };
  await expect(segmentSeries(ports({ sink }), request("bright"), watchedRun())).rejects.toMatchObject({
    code: "store-rejected",
    failureReason: 0xa700,
  });
});

test("what the model notes of this run is part of the result", async () => {
  const fake = createFakeModel();
  const noting: SegmentationModel = {
    ...fake,
    segment: (volume, prompts, options, run) => {
      run.note("Voxels are long.");
      return fake.segment(volume, prompts, options, run);
    },
  };
  const { notes } = await segmentSeries(ports({ models: registryOf(noting) }), request("bright"), watchedRun());
  expect(notes).toContain("Voxels are long.");
});
