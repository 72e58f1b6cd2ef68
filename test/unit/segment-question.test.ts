import { beforeEach, describe, expect, test } from "vitest";
import { decodeSeg } from "#converters/dicom/index.ts";
import {
  deterministicUid,
  jobKey,
  type Ports,
  promptsFrom,
  type SegmentationModel,
  type SegmentOptions,
  type SegmentSeriesRequest,
} from "#server/domain/index.ts";
import { type Asking, createAsking, modalitiesOf, read, side, slices } from "../fixtures/asking.ts";
import { axial, ctSeries, ctSlice } from "../fixtures/ct-slices.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";

let asking: Asking;
let stored: Uint8Array[];
const ask: Asking["ask"] = (...args) => asking.ask(...args);

beforeEach(async () => {
  asking = await createAsking();
  stored = asking.stored;
});

describe("a question", () => {
  test("has the key that it had before there were options", async () => {
    const { seg } = await ask(["bright"], { minimumVolumeMm3: 0, volume: 0, resample: false });
    const key = jobKey({
      sopInstanceUids: asking.ct.sopInstanceUids,
      modelSha256: "0".repeat(64),
      prompts: promptsFrom([{ text: "bright" }]),
      options: { merge: "exclusive" },
    });
    expect(seg?.sopInstanceUid).toBe(deterministicUid(key, "instance"));
    expect(seg?.seriesInstanceUid).toBe(deterministicUid(key, "series"));
  });

  test("cannot begin with a slice that is none", async () => {
    await ask(["bright"], { fromSlice: slices - 1 });
    await expect(ask(["bright"], { fromSlice: slices })).rejects.toThrow(`the image has ${slices}, counted from 0`);
  });

  test.each<Partial<SegmentSeriesRequest>>([
    { threshold: 0.5 },
    { presenceThreshold: 0.4 },
    { minimumVolumeMm3: 1 },
    { resample: true },
  ])("with %j is another question", async (more) => {
    const plain = await ask(["bright"]);
    const other = await ask(["bright"], more);
    expect(other.seg?.sopInstanceUid).not.toBe(plain.seg?.sopInstanceUid);
  });
});

describe("small pieces", () => {
  /** Ten voxels in a row, and two. */
  const fake = createFakeModel();
  const specks: SegmentationModel = {
    ...fake,
    async *segment(volume, prompts, options, run) {
      for await (const plane of fake.segment(volume, prompts, options, run)) {
        const { mask: _, ...rest } = plane;
        yield {
          ...rest,
          ...(plane.index === 4 && { mask: new Uint8Array(side * side).fill(1, 0, 10).fill(1, 20, 22) }),
        };
      }
    },
  };
  const voxelMm3 = 0.7 * 0.7 * 1.25;
  const pieces = async (minimumVolumeMm3?: number) => {
    const more = minimumVolumeMm3 === undefined ? {} : { minimumVolumeMm3 };
    const result = await ask(["bright"], more, { models: registryOf(specks) });
    return { ...result, sizes: result.findings[0]!.components.map(({ voxels }) => voxels) };
  };

  test("are kept where nobody asked for less, and one that has just the floor's volume stays", async () => {
    expect((await pieces()).sizes).toEqual([10, 2]);
    expect((await pieces(2 * voxelMm3)).sizes).toEqual([10, 2]);
  });

  test("below the floor are in neither mask nor finding, which says so", async () => {
    const { findings, sizes, seg } = await pieces(3);
    expect(sizes).toEqual([10]);
    expect(findings[0]?.notes.join()).toContain("1 piece of less than 3 mm3 left out, as asked.");
    const written = decodeSeg(stored[0]!);
    expect(written.sopInstanceUid).toBe(seg?.sopInstanceUid);
    expect(written.framePixels(0).reduce((sum, pixel) => sum + pixel, 0)).toBe(10);
  });

  test("may be all of it: then the prompt is absent", async () => {
    const { findings, seg } = await pieces(1e6);
    expect(findings[0]).toMatchObject({ present: false, voxels: 0, components: [] });
    expect(findings[0]?.notes.join()).toContain("2 pieces of less than 1000000 mm3");
    expect(seg).toBeUndefined();
  });
});

describe("of a series that is not one regular volume", () => {
  const sourcesOf = (part10: Uint8Array) =>
    decodeSeg(part10).frames.map(({ sourceSopInstanceUid }) => sourceSopInstanceUid);
  const from = (files: readonly Uint8Array[]): Pick<Ports, "source"> => ({
    source: {
      describe: async () => ({ modality: "CT", instanceCount: files.length }),
      async *instances() {
        yield* files;
      },
    },
  });
  const series = { studyInstanceUid: "2.25.1", seriesInstanceUid: "2.25.2" };

  test("the volume that was asked for is segmented, and a note says which", async () => {
    const files = [0, 1, 2, 3].flatMap((k) =>
      ["1", "2"].map((time, n) =>
        ctSlice(k, axial, {
          SOPInstanceUID: `2.25.4.${n + 1}.${k}`,
          TemporalPositionIdentifier: time,
          InstanceNumber: String(2 * k + n + 1),
        }),
      ),
    );
    const first = await ask(["dark"], { series }, from(files));
    const second = await ask(["dark"], { series, volume: 1 }, from(files));
    expect(first.notes.join()).toContain("volume 0 was read");
    expect(second.notes.join()).toContain("volume 1 was read");
    expect(stored.map(sourcesOf)).toEqual([1, 2].map((n) => [0, 1, 2, 3].map((k) => `2.25.4.${n}.${k}`)));
    await expect(ask(["dark"], { series, volume: 2 }, from(files))).rejects.toMatchObject({
      reason: "several-volumes",
    });
  });

  test("a missing slice is refused, or interpolated and said, and the SEG lies on the slices that there are", async () => {
    const files = ctSeries().toSpliced(3, 1);
    await expect(ask(["dark"], { series }, from(files))).rejects.toMatchObject({ reason: "missing-slice" });
    const outputs = ["seg", "sr", "rtstruct", "sc"] as const;
    const result = await ask(["dark"], { series, resample: true, outputs }, from(files));
    expect(result.notes.join()).toContain("interpolated onto a regular grid");
    expect(stored).toHaveLength(4);
    expect(sourcesOf(stored[0]!)).toEqual(["2.25.4.1", "2.25.4.2", "2.25.4.3", "2.25.4.5", "2.25.4.6"]);
  });

  test("what its pixels lost by compression is said of the SEG and of the pictures", async () => {
    const lossy = {
      LossyImageCompression: "01",
      LossyImageCompressionRatio: "12",
      LossyImageCompressionMethod: "ISO_15444_1",
    };
    const files = [0, 1, 2, 3].map((k) => ctSlice(k, axial, lossy));
    await ask(["dark"], { series, outputs: ["seg", "sc"] }, from(files));
    expect(modalitiesOf(stored)).toEqual(["SEG", "OT"]);
    for (const part10 of stored) {
      expect(read(part10)).toMatchObject({
        LossyImageCompression: ["01"],
        LossyImageCompressionRatio: [12],
        LossyImageCompressionMethod: ["ISO_15444_1"],
      });
    }
  });
});

test("a component tells its voxels' box, its diameter, and the mean of the image in HU", async () => {
  const { findings } = await ask(["bright"]);
  const [ball] = findings[0]!.components;
  // The ball's radius is a third of 24 voxels of 0.7 mm, its values 300 HU with noise of +-64.
  expect(ball?.boxIjk).toEqual({ min: [5, 5, 0], max: [19, 19, 8] });
  expect(ball?.longestDiameterMm).toBeGreaterThan(2 * 7.5 * 0.7);
  expect(ball?.longestDiameterMm).toBeLessThan(2 * 9 * 0.7);
  expect(ball?.meanValue).toBeGreaterThan(280);
  expect(ball?.meanValue).toBeLessThan(320);
  expect(ball?.valueUnit).toBe("HU");
});

describe("thresholds", () => {
  function watched(card: Parameters<typeof createFakeModel>[0] = {}) {
    const asked: SegmentOptions[] = [];
    const fake = createFakeModel(card);
    const model: SegmentationModel = {
      ...fake,
      segment: (volume, prompts, options, run) => {
        asked.push(options);
        return fake.segment(volume, prompts, options, run);
      },
    };
    return { asked, models: registryOf(model) };
  }

  test("reach the model, and only where they are given", async () => {
    const { asked, models } = watched();
    await ask(["bright"], {}, { models });
    await ask(["bright"], { threshold: 0.3, presenceThreshold: 0 }, { models });
    await ask(["bright"], { segmentationType: "fractional" }, { models });
    await ask(["bright"], { segmentationType: "fractional", outputs: ["detections"] }, { models });
    const common = { merge: "exclusive", probabilities: false };
    expect(asked).toEqual([
      common,
      { ...common, maskThreshold: 0.3, existenceThreshold: 0 },
      { ...common, probabilities: true },
      common,
    ]);
  });

  test.each([
    [
      "a model of classes",
      { engine: "labels", algorithmFamily: "artificial-intelligence" },
      "a threshold changes nothing",
    ],
    ["density rules", {}, "how deep a value lies inside its density range"],
  ] as const)("of %s come with a note of what they mean", async (_, card, note) => {
    const { models } = watched(card);
    expect((await ask(["bright"], {}, { models })).notes.join()).not.toContain(note);
    expect((await ask(["bright"], { threshold: 0.3 }, { models })).notes.join()).toContain(note);
  });
});
