import { beforeEach, describe, expect, test } from "vitest";
import {
  contoursOnto,
  type DataSet,
  decodeSeg,
  decodeStructureSet,
  firstNumber,
  firstText,
  items,
  maskOnto,
} from "#converters/dicom/index.ts";
import {
  type Output,
  PacsUnavailableError,
  type Ports,
  type SegmentationModel,
  StoreRejectedError,
} from "#server/domain/index.ts";
import { type Asking, createAsking, modalitiesOf, read, side, slices, uidOf } from "../fixtures/asking.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { watchedRun } from "../fixtures/watched-run.ts";

let asking: Asking;
let stored: Uint8Array[];
const ask: Asking["ask"] = (...args) => asking.ask(...args);
/** Looks for every word, which rules do not. */
const network = { models: registryOf(createFakeModel({ trained: true, algorithmFamily: "artificial-intelligence" })) };

beforeEach(async () => {
  asking = await createAsking();
  stored = asking.stored;
});

/** Every item of a report's content, at any depth. */
function contentOf(part10: Uint8Array): readonly DataSet[] {
  const below = (item: DataSet): readonly DataSet[] =>
    items(item, "ContentSequence").flatMap((child) => [child, ...below(child)]);
  return below(read(part10));
}
const named = (part10: Uint8Array, code: string) =>
  contentOf(part10).filter((item) => firstText(items(item, "ConceptNameCodeSequence")[0] ?? {}, "CodeValue") === code);

test("pictures of many prompts leave the thread to others: who cancels meanwhile is heard, and nothing is stored", async () => {
  const controller = new AbortController();
  const reason = new Error("cancelled");
  let turns = 0;
  const turn = () => {
    turns += 1;
    if (turns === 4) controller.abort(reason);
    else setImmediate(turn);
  };
  const run = {
    ...watchedRun(),
    signal: controller.signal,
    progress: (stage: string) => void (stage === "encode" && setImmediate(turn)),
  };
  const asked = asking.ask(["bright", "dark", "unicorn"], { outputs: ["sc"] }, {}, run);
  await expect(asked).rejects.toBe(reason);
  expect(stored).toEqual([]);
});

describe("what is stored", () => {
  test.each<[readonly Output[], readonly string[], readonly string[]]>([
    [["seg"], ["SEG"], ["seg"]],
    [["rtstruct"], ["RTSTRUCT"], ["rtstruct"]],
    [["sc"], ["OT"], ["sc"]],
    [["detections"], [], []],
    [["detections", "rtstruct"], ["RTSTRUCT"], ["rtstruct"]],
    [
      ["sc", "rtstruct", "sr", "seg"],
      ["SEG", "SR", "RTSTRUCT", "OT"],
      ["seg", "sr", "rtstruct", "sc"],
    ],
  ])("for %j is that and nothing else, what others refer to first", async (outputs, wanted, told) => {
    const result = await ask(["bright", "unicorn"], { outputs });
    expect(modalitiesOf(stored)).toEqual(wanted);
    expect(Object.keys(result).filter((key) => ["seg", "sr", "rtstruct", "sc"].includes(key))).toEqual(told);
    expect(result.findings.map(({ present }) => present)).toEqual([true, false]);
    for (const part10 of stored) {
      expect(firstText(read(part10), "StudyInstanceUID")).toBe(asking.ct.series.studyInstanceUid);
      const [equipment = {}] = items(read(part10), "ContributingEquipmentSequence");
      expect(firstText(equipment, "ContributionDescription")).toBe(
        "Research use only. Segmented by Bright and dark 1.0.0.",
      );
    }
  });

  test("for a report alone is the SEG that it refers to as well, and a note says so", async () => {
    const result = await ask(["bright"], { outputs: ["sr"] });
    expect(modalitiesOf(stored)).toEqual(["SEG", "SR"]);
    expect(result.notes.join()).toContain("The segmentation was stored as well");
  });

  test("where nothing was found is a report that says so, or nothing", async () => {
    const result = await ask(["unicorn"], { outputs: ["seg", "sr", "rtstruct", "sc"] }, network);
    expect(modalitiesOf(stored)).toEqual(["SR"]);
    expect(result).toMatchObject({ sr: { sopInstanceUid: uidOf(stored[0]!) } });
    expect(result.seg).toBeUndefined();
    expect(named(stored[0]!, "121191")).toEqual([]);
    expect(named(stored[0]!, "121052")).toHaveLength(1);
    stored.length = 0;
    await ask(["unicorn"], { outputs: ["rtstruct", "sc", "detections"] });
    expect(stored).toEqual([]);
  });
});

test("the report has a finding for each prompt, and those that are there refer to their segments in the SEG", async () => {
  const { seg, findings } = await ask(["unicorn", "bright", "dark"], { outputs: ["seg", "sr"] }, network);
  const [segFile, report] = stored;
  const tracked = decodeSeg(segFile!).segments.map(({ tracking }) => tracking?.uid);
  expect(named(report!, "112040").map((item) => firstText(item, "UID"))).toEqual([expect.any(String), ...tracked]);
  const references = named(report!, "121191").map((item) => items(item, "ReferencedSOPSequence")[0]!);
  expect(references.map((item) => firstNumber(item, "ReferencedSegmentNumber"))).toEqual([1, 2]);
  expect(references.map((item) => firstText(item, "ReferencedSOPInstanceUID"))).toEqual(
    Array(2).fill(seg?.sopInstanceUid),
  );
  const measured = (code: string) =>
    named(report!, code).flatMap((item) =>
      items(item, "MeasuredValueSequence").map((v) => firstNumber(v, "NumericValue")!),
    );
  for (const [n, volumeMl] of measured("118565006").entries()) {
    expect(volumeMl).toBeCloseTo(findings[n + 1]!.volumeMl!, 6);
  }
  const longest = findings.slice(1).map(({ components }) => Math.max(...components.map((c) => c.longestDiameterMm)));
  for (const [n, mm] of measured("103339001").entries()) expect(mm).toBeCloseTo(longest[n]!, 6);
});

test("a report by rules says nothing of words that they have no rule for, and of no certainty", async () => {
  await ask(["unicorn", "bright"], { outputs: ["sr"] });
  const report = stored[1]!;
  expect(named(report, "112040")).toHaveLength(1);
  expect(named(report, "111012")).toEqual([]);
  stored.length = 0;
  const { findings } = await ask(["unicorn"], { outputs: ["sr"] });
  expect(findings[0]?.notes.join()).toContain("no rule for these words");
  expect(stored).toEqual([]);
});

test("contours enclose the voxels of the SEG", async () => {
  await ask(["bright", "dark"], { outputs: ["seg", "rtstruct"] });
  const seg = decodeSeg(stored[0]!);
  const { rois } = decodeStructureSet(stored[1]!);
  const geometry = {
    size: [side, side, slices],
    ijkToLps: asking.ct.ijkToLps,
    frameOfReferenceUid: seg.frameOfReferenceUid,
  } as const;
  expect(rois.map(({ name }) => name)).toEqual(["bright", "dark"]);
  for (const [n, roi] of rois.entries()) {
    expect(contoursOnto(roi, geometry)).toEqual(maskOnto(seg, n + 1, geometry));
  }
});

test("of several findings there is a page with all of them, then one each; of one a single picture", async () => {
  await ask(["bright", "dark", "unicorn"], { outputs: ["sc"] });
  await ask(["bright"], { outputs: ["sc"] });
  expect(stored.map((part10) => firstNumber(read(part10), "NumberOfFrames"))).toEqual([3, undefined]);
});

describe("the kind of SEG", () => {
  /** Probabilities that fall off to the right, and planes that say nothing: slices below `from`. */
  function graded(from = 0): SegmentationModel {
    const fake = createFakeModel();
    return {
      ...fake,
      async *segment(volume, prompts, options, run) {
        for await (const { mask, ...plane } of fake.segment(volume, prompts, options, run)) {
          const probability =
            options.probabilities && Uint8Array.from({ length: side * side }, (_, p) => 10 * (p % side));
          const there = plane.index >= from;
          yield {
            ...plane,
            existence: there ? 1 : 0.2,
            ...(mask && there && { mask }),
            ...(probability && { probability }),
          };
        }
      },
    };
  }

  test("fractional holds the model's probabilities, but none where the model says that nothing is there", async () => {
    await ask(["bright"], { segmentationType: "fractional" }, { models: registryOf(graded(3)) });
    const seg = decodeSeg(stored[0]!);
    expect(seg.type).toBe("FRACTIONAL");
    expect(seg.frames).toHaveLength(slices - 3);
    const frame = seg.pixels.frame(2).bytes;
    expect([...frame.subarray(0, side)]).toEqual(Array.from({ length: side }, (_, i) => 10 * i));
  });

  test("fractional says nothing where a small piece was dropped", async () => {
    const speck: SegmentationModel = {
      ...graded(),
      async *segment(volume, prompts, options, run) {
        for await (const plane of graded().segment(volume, prompts, options, run)) {
          const mask = new Uint8Array(side * side);
          if (plane.index === 4) mask.fill(1, 0, 10).fill(1, 20, 22);
          yield { ...plane, mask };
        }
      },
    };
    const more = { segmentationType: "fractional", minimumVolumeMm3: 3 } as const;
    await ask(["bright"], more, { models: registryOf(speck) });
    const frame = decodeSeg(stored[0]!).pixels.frame(4).bytes;
    expect([frame[9], frame[19], frame[20], frame[21], frame[22]]).toEqual([90, 190, 0, 0, 220]);
  });

  test("labelmap numbers its voxels by segment, with a background", async () => {
    await ask(["bright", "dark"], { segmentationType: "labelmap" });
    const dataSet = read(stored[0]!);
    expect(firstText(dataSet, "SOPClassUID")).toBe("1.2.840.10008.5.1.4.1.1.66.7");
    expect(items(dataSet, "SegmentSequence").map((item) => firstNumber(item, "SegmentNumber"))).toEqual([0, 1, 2]);
  });

  test("labelmap with overlapping masks is refused before anything is fetched", async () => {
    const source = { ...asking.archive.source, describe: () => Promise.reject(new Error("asked")) };
    const more = { segmentationType: "labelmap", merge: "overlapping" } as const;
    await expect(ask(["bright"], more, { source })).rejects.toMatchObject({ code: "invalid-request" });
  });

  test("is another object with the same findings, and the report refers to it by its class", async () => {
    const outputs = ["seg", "sr"] as const;
    for (const segmentationType of ["binary", "fractional", "labelmap"] as const) {
      await ask(["bright"], { outputs, segmentationType });
    }
    expect(new Set(stored.map(uidOf)).size).toBe(6);
    const segs = stored.filter((_, n) => n % 2 === 0).map((part10) => decodeSeg(part10));
    expect(new Set(segs.map(({ segments }) => segments[0]?.tracking?.uid)).size).toBe(1);
    const classes = stored
      .filter((_, n) => n % 2 === 1)
      .map((report) => {
        const [reference = {}] = items(named(report, "121191")[0]!, "ReferencedSOPSequence");
        return [firstText(reference, "ReferencedSOPClassUID"), firstText(reference, "ReferencedSOPInstanceUID")];
      });
    expect(classes).toEqual([
      ["1.2.840.10008.5.1.4.1.1.66.4", segs[0]?.sopInstanceUid],
      ["1.2.840.10008.5.1.4.1.1.66.4", segs[1]?.sopInstanceUid],
      ["1.2.840.10008.5.1.4.1.1.66.7", segs[2]?.sopInstanceUid],
    ]);
  });
});

describe("the same question", () => {
  test("gives every object its UID again, and a SEG asked for with more beside it keeps its own", async () => {
    const outputs = ["seg", "sr", "rtstruct", "sc"] as const;
    await ask(["bright"], { outputs });
    await ask(["bright"], { outputs });
    await ask(["bright"]);
    const uids = stored.map(uidOf);
    expect(uids.slice(4, 8)).toEqual(uids.slice(0, 4));
    expect(uids[8]).toBe(uids[0]);
    expect(new Set(uids).size).toBe(4);
  });
});

describe("an archive that fails after it took the SEG", () => {
  const failing = (error: Error): Ports["sink"] => ({
    store: async (part10, options) => {
      if (firstText(read(part10), "Modality") === "SR") throw error;
      return asking.archive.sink.store(part10, options);
    },
  });

  test.each([
    ["refuses the report", new StoreRejectedError("It refused.", { failureReason: 0x0122 }), { failureReason: 0x0122 }],
    ["is gone", new PacsUnavailableError("It is away."), {}],
  ])("and %s: the job fails, may be retried, and says what is there", async (_, error, details) => {
    const failed = ask(["bright"], { outputs: ["seg", "sr"] }, { sink: failing(error) });
    await expect(failed).rejects.toMatchObject({
      code: error.code,
      retryable: true,
      message: expect.stringMatching(/took the segmentation, and not the report: It/),
      details: { ...details, stored: ["seg"] },
    });
    await ask(["bright"], { outputs: ["seg", "sr"] });
    const held = await asking.archive.source.describe(
      { ...asking.ct.series, seriesInstanceUid: firstText(read(stored[0]!), "SeriesInstanceUID")! },
      { signal: AbortSignal.timeout(1000) },
    );
    expect(held.instanceCount).toBe(1);
  });
});
