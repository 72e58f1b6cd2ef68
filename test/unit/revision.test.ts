import { beforeEach, describe, expect, test } from "vitest";
import { decodeSeg, firstText, items, maskOnto, readPart10 } from "#converters/dicom/index.ts";
import { type BitVolume, countBits, readSlice } from "#converters/mask/index.ts";
import {
  cutAgain,
  deterministicUid,
  editSeries,
  type KeptAnswer,
  type PreviewSlice,
  promptsFrom,
  recutSeries,
  runsOf,
  type SegmentationModel,
  type SegmentRun,
  segmentSeries,
} from "#server/domain/index.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { createMemoryArchive, type MemoryArchive } from "../fixtures/memory-archive.ts";
import { type SyntheticCt, syntheticCt } from "../fixtures/synthetic-ct.ts";

const side = 24;
const slices = 9;
const signal = AbortSignal.timeout(20_000);
let archive: MemoryArchive;
let ct: SyntheticCt;
let stored: Map<string, Uint8Array>;

beforeEach(async () => {
  archive = createMemoryArchive();
  ct = syntheticCt(slices, side);
  for (const instance of ct.instances()) await archive.sink.store(instance, { signal });
  stored = new Map();
});

/** Its masks are the fake's; their edges are less certain than what lies within. */
function gradedModel(): SegmentationModel {
  const fake = createFakeModel();
  return {
    ...fake,
    async *segment(volume, prompts, options, run) {
      for await (const plane of fake.segment(volume, prompts, options, run)) {
        const { probability, ...rest } = plane;
        yield {
          ...rest,
          ...(probability && { probability: probability.map((value, n) => (value ? 130 + (n % 120) : 90)) }),
        };
      }
    },
  };
}

function ports() {
  return {
    source: archive.source,
    sink: {
      store: async (part10: Uint8Array, options: { readonly signal: AbortSignal }) => {
        const done = await archive.sink.store(part10, options);
        stored.set(done.sopInstanceUid, part10);
        return done;
      },
    },
    models: registryOf(gradedModel()),
    now: () => new Date("2026-03-04T05:06:07Z"),
    newUid: deterministicUid,
    results: { fetch: async ({ sopInstanceUid }: { readonly sopInstanceUid: string }) => stored.get(sopInstanceUid)! },
  };
}

const quiet: SegmentRun = { signal, progress: () => {}, note: () => {}, finding: () => {} };
const asked = (...words: string[]) => ({ series: ct.series, prompts: promptsFrom(words.map((text) => ({ text }))) });

async function answered(...words: string[]) {
  let kept: KeptAnswer | undefined;
  const preview: PreviewSlice[] = [];
  const result = await segmentSeries(ports(), asked(...words), {
    ...quiet,
    preview: (some) => preview.push(...some),
    keep: async (answer) => {
      kept = answer;
      return { prompts: answer.prompts.map(({ prompt }) => prompt.id), threshold: answer.threshold, until: "later" };
    },
  });
  return { result, kept: kept!, preview };
}

const segOf = (uid: string) => decodeSeg(stored.get(uid)!);
const geometry = () => ({ size: [side, side, slices] as const, ijkToLps: ct.ijkToLps, frameOfReferenceUid: "" });
const maskIn = (uid: string, number = 1): BitVolume => maskOnto(segOf(uid), number, geometry());
const voxels = (mask: BitVolume) => countBits(mask.bits, 0, side * side * slices);

describe("while a job runs", () => {
  test("its finished slices are the stored mask's, slice by slice, each told once", async () => {
    const { result, preview } = await answered("bright ball", "unicorn");
    const mask = maskIn(result.seg!.sopInstanceUid);
    expect(preview.map(({ promptId }) => promptId)).not.toContain("p2");
    expect(preview.map(({ sliceIndex }) => sliceIndex)).toEqual(result.findings[0]!.slices);
    for (const { sliceIndex, runs, rows, columns, slices: all } of preview) {
      expect([rows, columns, all]).toEqual([side, side, slices]);
      expect(runs).toEqual(runsOf(readSlice(mask, sliceIndex)));
    }
  });
});

describe("probabilities", () => {
  test("are kept of what was found, cut to the stored mask at the threshold it was cut at, and are nothing where the model says so", async () => {
    const { result, kept } = await answered("bright ball", "unicorn");
    expect(result.probabilities).toMatchObject({ prompts: ["p1"], threshold: 0.5 });
    expect(kept.prompts.map(({ prompt }) => prompt.text)).toEqual(["bright ball"]);
    const { values } = kept.prompts[0]!;
    expect(cutAgain([{ values, threshold: 0.5 }], kept.size, "exclusive")[0]).toEqual(
      maskIn(result.seg!.sopInstanceUid),
    );
    const empty = Array.from({ length: slices }, (_, k) => k).filter((k) => !result.findings[0]!.slices.includes(k));
    for (const k of empty)
      expect(values.subarray(k * side * side, (k + 1) * side * side).every((v) => v === 0)).toBe(true);
  });

  test("that say no more than the mask are not kept", async () => {
    const keep = async () => ({ prompts: [], threshold: 0.5, until: "" });
    const result = await segmentSeries({ ...ports(), models: registryOf(createFakeModel()) }, asked("bright ball"), {
      ...quiet,
      keep,
    });
    expect(result).not.toHaveProperty("probabilities");
  });

  test("that cannot be kept take nothing from the result", async () => {
    const keep = async () => {
      throw new Error("the disk is full");
    };
    const result = await segmentSeries(ports(), asked("bright ball"), { ...quiet, keep });
    expect(result.seg).toBeDefined();
    expect(result).not.toHaveProperty("probabilities");
  });

  test("of prompts that may not share voxels go to the larger one, and to the earlier where they are equal", () => {
    const size = [4, 1, 1] as const;
    const a = Uint8Array.of(200, 200, 100, 0);
    const b = Uint8Array.of(210, 200, 90, 140);
    const bits = (merge: "exclusive" | "overlapping", thresholds: readonly [number, number]) =>
      cutAgain(
        [
          { values: a, threshold: thresholds[0] },
          { values: b, threshold: thresholds[1] },
        ],
        size,
        merge,
      ).map(({ bits: [byte] }) => byte?.toString(2).padStart(4, "0"));
    expect(bits("exclusive", [0.5, 0.5])).toEqual(["0010", "1001"]);
    expect(bits("overlapping", [0.5, 0.5])).toEqual(["0011", "1011"]);
    // At 0.35 the third voxel, of 100, is in as well; 1 leaves nothing.
    expect(bits("exclusive", [0.35, 1])).toEqual(["0111", "0000"]);
  });
});

describe("cutting again", () => {
  test("stores another SEG that names the first one as its source and says the threshold", async () => {
    const { result, kept } = await answered("bright ball");
    const of = result.seg!;
    const again = await recutSeries(ports(), { series: ct.series, thresholds: { p1: 0.8 }, of }, kept, quiet);
    expect(again.seg!.sopInstanceUid).not.toBe(of.sopInstanceUid);
    expect(again.findings[0]!.voxels).toBeLessThan(result.findings[0]!.voxels);
    expect(again.findings[0]!.tracking).toEqual(result.findings[0]!.tracking);
    expect(again.findings[0]!.voxels).toBe(voxels(maskIn(again.seg!.sopInstanceUid)));
    const { dataSet } = readPart10(stored.get(again.seg!.sopInstanceUid)!, { stopBeforePixels: true });
    expect(firstText(dataSet, "SeriesDescription")).toContain("Threshold 0.8");
    expect(firstText(dataSet, "ContentDescription")).toContain("Threshold 0.8");
    expect(firstText(items(dataSet, "SegmentSequence")[0]!, "SegmentDescription")).toBe(
      "Prompt: bright ball. Threshold 0.8",
    );
    expect(items(dataSet, "SourceInstanceSequence").map((item) => firstText(item, "ReferencedSOPInstanceUID"))).toEqual(
      [of.sopInstanceUid],
    );
    const referenced = items(dataSet, "ReferencedSeriesSequence").map((item) => firstText(item, "SeriesInstanceUID"));
    // Images only: viewers look there for what to show it on.
    expect(referenced).toEqual([ct.series.seriesInstanceUid]);
  });

  test("the same thresholds store the same instance, others another", async () => {
    const { result, kept } = await answered("bright ball");
    const cut = (p1: number) =>
      recutSeries(ports(), { series: ct.series, thresholds: { p1 }, of: result.seg! }, kept, quiet);
    const [first, second, other] = [await cut(0.6), await cut(0.6), await cut(0.7)];
    expect(second.seg).toEqual(first.seg);
    expect(other.seg!.sopInstanceUid).not.toBe(first.seg!.sopInstanceUid);
  });

  test("above every probability nothing is stored, and that is said", async () => {
    const { result, kept } = await answered("bright ball");
    const again = await recutSeries(
      ports(),
      { series: ct.series, thresholds: { p1: 1 }, of: result.seg! },
      kept,
      quiet,
    );
    expect(again).not.toHaveProperty("seg");
    expect(again.findings[0]!.present).toBe(false);
    expect(again.notes.join(" ")).toContain("no segmentation was stored");
  });
});

describe("an edited result", () => {
  test("is a SEG of its own, drawn on by a person, beside the model's, with the Dice between the two", async () => {
    const { result } = await answered("bright ball", "dark");
    const before = maskIn(result.seg!.sopInstanceUid);
    // Half of the slices go.
    const left = result.findings[0]!.slices.filter((k) => k % 2 === 0);
    const edited = [
      { promptId: "p1", slices: left.map((k) => ({ sliceIndex: k, runs: runsOf(readSlice(before, k)) })) },
    ];
    const card = createFakeModel().card;
    const request = { series: ct.series, of: result.seg!, findings: result.findings, card, edited };
    const { seg, dice } = await editSeries(ports(), request, { signal });
    const after = maskIn(seg.sopInstanceUid);
    const common = voxels(after);
    expect(common).toBeLessThan(voxels(before));
    expect(dice.p1).toBeCloseTo((2 * common) / (voxels(before) + common));
    expect(dice.p2).toBe(1);
    expect(maskIn(seg.sopInstanceUid, 2)).toEqual(maskIn(result.seg!.sopInstanceUid, 2));
    const { dataSet } = readPart10(stored.get(seg.sopInstanceUid)!, { stopBeforePixels: true });
    expect(items(dataSet, "SegmentSequence").map((item) => firstText(item, "SegmentAlgorithmType"))).toEqual([
      "SEMIAUTOMATIC",
      "SEMIAUTOMATIC",
    ]);
    expect(firstText(dataSet, "ContentCreatorName") ?? "").toBe("");
    expect(firstText(items(dataSet, "SourceInstanceSequence")[0]!, "ReferencedSOPInstanceUID")).toBe(
      result.seg!.sopInstanceUid,
    );
    expect((await editSeries(ports(), request, { signal })).seg).toEqual(seg);
  });

  test("of which nothing is left, or that lies outside of the image, is refused", async () => {
    const { result } = await answered("bright ball");
    const edit = (slices: readonly { readonly sliceIndex: number; readonly runs: readonly number[] }[]) =>
      editSeries(
        ports(),
        {
          series: ct.series,
          of: result.seg!,
          findings: result.findings,
          card: createFakeModel().card,
          edited: [{ promptId: "p1", slices }],
        },
        { signal },
      );
    await expect(edit([])).rejects.toThrow(/Nothing is left/);
    await expect(edit([{ sliceIndex: slices, runs: [side * side] }])).rejects.toThrow(/Slice 9/);
    await expect(edit([{ sliceIndex: 0, runs: [4] }])).rejects.toThrow(/4 pixels/);
  });
});
