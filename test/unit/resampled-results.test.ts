import { describe, expect, test } from "vitest";
import {
  contoursOnto,
  type DecodedSeg,
  decodeSeg,
  decodeStructureSet,
  firstText,
  items,
  maskOnto,
  readPart10,
} from "#converters/dicom/index.ts";
import { length, type Volume, voxelSizeMm } from "#converters/geometry/index.ts";
import { countBits, readSlice } from "#converters/mask/index.ts";
import { replaySeg } from "#server/cohort/index.ts";
import {
  editSeries,
  maskOfRuns,
  pictureOfResult,
  promptsFrom,
  recutSeries,
  runsOf,
  segmentSeries,
} from "#server/domain/index.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { gradedModel, openUneven, quiet } from "../fixtures/uneven-archive.ts";
import { UNEVEN, type UnevenSeries, unevenSeries } from "../fixtures/uneven-series.ts";

const signal = AbortSignal.timeout(60_000);
const CASES = (Object.keys(UNEVEN) as (keyof typeof UNEVEN)[]).map((name, n) => ({
  name,
  given: unevenSeries(UNEVEN[name], n + 20),
}));

const voxelsOf = ({ bits }: { readonly bits: Uint8Array }) => countBits(bits, 0, bits.length * 8);

/** Each frame lies where the image lies that it names. */
function expectOnImages(seg: DecodedSeg, given: UnevenSeries): void {
  expect(seg.frames.length).toBeGreaterThan(0);
  for (const { positionLps, sourceSopInstanceUid } of seg.frames) {
    const n = given.sopInstanceUids.indexOf(sourceSopInstanceUid ?? "");
    for (const axis of [0, 1, 2] as const) expect(positionLps[axis]).toBeCloseTo(given.positions[n]![axis], 5);
  }
}

/** Voxels that the fake model calls bright. */
function brightIn({ voxels }: Volume): number {
  let [largest, count] = [0, 0];
  for (const value of voxels) largest = Math.max(largest, value);
  for (const value of voxels) if (value > largest / 2) count++;
  return count;
}

describe.each(CASES)("of a series that was resampled ($name slices)", ({ name, given }) => {
  test.each(["binary", "fractional", "labelmap"] as const)(
    "the %s SEG lies on the images, and what is measured is of the grid",
    async (segmentationType) => {
      const { ask, segOf, volume, stack } = await openUneven(given);
      const { seg, findings, notes } = await ask(["bright"], { segmentationType });
      const read = segOf(seg!);
      expect(read.type.toLowerCase()).toBe(segmentationType);
      expectOnImages(read, given);
      expect(findings[0]!.voxels).toBe(brightIn(volume));
      expect(notes.join(" ")).toMatch(
        /interpolated onto a regular grid.*measured on that grid.*a stored segmentation, and contours, lie on the series' own slices/s,
      );
      if (segmentationType === "fractional") return;
      const mask = maskOnto(read, 1, stack);
      // Slices that lie on the grid come back as they were; others were interpolated on the way there and back.
      const blurMm = name === "missing" ? 0 : length(voxelSizeMm(volume.geometry.ijkToLps));
      for (let n = 0; n < mask.size[2]; n++) {
        for (const [p, bit] of readSlice(mask, n).entries()) {
          const depth = given.depth(given.place(p % given.pixels[0], Math.floor(p / given.pixels[0]), n));
          if (Math.abs(depth) > blurMm) expect(bit === 1, `slice ${n}, pixel ${p}`).toBe(depth > 0);
        }
      }
    },
  );

  test("the same question has the same UIDs", async () => {
    const { ask, stored } = await openUneven(given);
    const [first, second] = [await ask(["bright"]), await ask(["bright"])];
    expect(second.seg).toEqual(first.seg);
    expect(stored.size).toBe(1);
  });

  test("report, contours and pictures name the images; contours lie in their planes", async () => {
    const { ask, stored, segOf, stack } = await openUneven(given);
    const { seg, rtstruct, sr, sc } = await ask(["bright"], { outputs: ["seg", "sr", "rtstruct", "sc"] });
    const { rois } = decodeStructureSet(stored.get(rtstruct!.sopInstanceUid)!);
    expect(contoursOnto(rois[0]!, stack)).toEqual(maskOnto(segOf(seg!), 1, stack));
    for (const { sopInstanceUid } of [sr!, sc!]) {
      const text = Buffer.from(stored.get(sopInstanceUid)!).toString("latin1");
      for (const uid of given.sopInstanceUids) expect(text).toContain(uid);
    }
  });

  test("previews are slices of the stored mask", async () => {
    const { ask, preview, segOf, stack } = await openUneven(given);
    const { seg } = await ask(["bright"]);
    const mask = maskOnto(segOf(seg!), 1, stack);
    const told = new Set(preview.map(({ sliceIndex }) => sliceIndex));
    expect(preview.length).toBeGreaterThan(4);
    for (const { sliceIndex, slices, rows, columns, runs } of preview) {
      expect([columns, rows, slices]).toEqual(mask.size);
      expect(maskOfRuns(runs, columns * rows)).toEqual(readSlice(mask, sliceIndex));
    }
    for (let n = 0; n < mask.size[2]; n++) if (readSlice(mask, n).includes(1)) expect(told).toContain(n);
  });

  test("cutting again stores what the viewer cut", async () => {
    const { ask, ports, kept, segOf, stack } = await openUneven(given);
    const { seg } = await ask(["bright"]);
    const answer = kept();
    expect(answer.shownOn?.geometry.size).toEqual(stack.geometry.size);
    // Nothing of it names an image.
    expect(JSON.stringify(answer)).not.toContain(given.sopInstanceUids[0]);
    const request = { series: given.series, of: seg!, thresholds: { p1: 0.8 }, resample: true };
    const again = await recutSeries(ports, request, answer, quiet);
    const [before, after] = [seg!, again.seg!].map((one) => maskOnto(segOf(one), 1, stack));
    expectOnImages(segOf(again.seg!), given);
    expect(voxelsOf(after!)).toBeLessThan(voxelsOf(before!));
    expect(voxelsOf(after!)).toBeGreaterThan(0);
    expect(again.notes.join(" ")).toContain("lie on the series' own slices");
    const { dataSet } = readPart10(ports.results && (await ports.results.fetch(again.seg!)), {
      stopBeforePixels: true,
    });
    expect(firstText(dataSet, "DerivationDescription")).toMatch(/^Threshold 0.8.*put back onto them$/);
  });

  test("a person's edit is of the images that were drawn on, and so is the Dice", async () => {
    const { ask, ports, segOf, stack } = await openUneven(given);
    const { seg, findings } = await ask(["bright"]);
    const before = maskOnto(segOf(seg!), 1, stack);
    const left = Array.from({ length: before.size[2] }, (_, n) => n).filter((n) => n % 2 === 1);
    const slices = left.map((n) => ({ sliceIndex: n, runs: runsOf(readSlice(before, n)) }));
    const { card } = createFakeModel();
    const request = { series: given.series, of: seg!, findings, card, resample: true };
    const same = await editSeries(ports, { ...request, edited: [] }, { signal });
    expect(same.dice.p1).toBe(1);
    expect(maskOnto(segOf(same.seg), 1, stack)).toEqual(before);
    const edited = await editSeries(ports, { ...request, edited: [{ promptId: "p1", slices }] }, { signal });
    const after = maskOnto(segOf(edited.seg), 1, stack);
    expectOnImages(segOf(edited.seg), given);
    for (let n = 0; n < before.size[2]; n++) {
      expect(readSlice(after, n)).toEqual(
        n % 2 === 1 ? readSlice(before, n) : new Uint8Array(before.size[0] * before.size[1]),
      );
    }
    expect(edited.dice.p1).toBeCloseTo((2 * voxelsOf(after)) / (voxelsOf(after) + voxelsOf(before)), 12);
    const { dataSet } = readPart10(await ports.results.fetch(edited.seg), { stopBeforePixels: true });
    expect(firstText(dataSet, "DerivationDescription")).toBe("Edited by a reviewer");
    const beyond = [
      { promptId: "p1", slices: [{ sliceIndex: before.size[2], runs: [before.size[0] * before.size[1]] }] },
    ];
    await expect(editSeries(ports, { ...request, edited: beyond }, { signal })).rejects.toThrow(/is not in the image/);
  });

  test("what is computed first is the image that is looked at", async () => {
    const { ports, stack } = await openUneven(given);
    const fake = gradedModel();
    const firsts: (number | undefined)[] = [];
    const watched = registryOf({
      ...fake,
      segment: (volume, prompts, options, run) => {
        firsts.push(options.firstSlice);
        return fake.segment(volume, prompts, options, run);
      },
    });
    const last = stack.corners.length - 1;
    const from = (fromSlice: number) => {
      const request = { series: given.series, prompts: promptsFrom([{ text: "bright" }]), resample: true, fromSlice };
      return segmentSeries({ ...ports, models: watched }, request, quiet);
    };
    for (const n of [0, 3, last]) await from(n);
    expect(firsts).toEqual([0, 3, last].map((n) => Math.round(stack.corners[n]![2])));
    await expect(from(last + 1)).rejects.toThrow(/first slice/);
  });

  test("a picture can be made of it", async () => {
    const { ask, ports } = await openUneven(given);
    const { seg } = await ask(["bright"]);
    const { pixels } = await pictureOfResult(ports, { series: given.series, of: seg!, resample: true }, { signal });
    const coloured = (_: number, n: number) => n % 3 === 0 && pixels[n] !== pixels[n + 1];
    expect(pixels.filter(coloured).length).toBeGreaterThan(50);
  });

  test("a replay has the same voxels again", async () => {
    const { ask, ports, stored } = await openUneven(given);
    const { seg } = await ask(["bright"]);
    expect(await replaySeg(ports, stored.get(seg!.sopInstanceUid)!, quiet)).toMatchObject({
      sameInstances: true,
      segments: [{ label: "bright", dice: 1 }],
    });
  });
});

describe("what lies between the images alone", () => {
  /** Finds something on slice 4, which is not there, and nothing else. */
  function betweenModel(): ReturnType<typeof createFakeModel> {
    const fake = gradedModel();
    return {
      ...fake,
      async *segment(volume, prompts, options, run) {
        for await (const plane of fake.segment(volume, prompts, options, run)) {
          if (plane.index === 4 || plane.promptId === "p2") yield plane;
        }
      },
    };
  }

  test("is told and reported, and no SEG is stored of it", async () => {
    const { ports, stored } = await openUneven(CASES[0]!.given);
    const request = {
      series: CASES[0]!.given.series,
      prompts: promptsFrom([{ text: "bright" }]),
      resample: true,
      outputs: ["seg", "sr", "rtstruct"],
    } as const;
    const result = await segmentSeries({ ...ports, models: registryOf(betweenModel()) }, request, quiet);
    expect(result.findings[0]).toMatchObject({ present: true, slices: [4] });
    expect(Object.keys(result)).not.toEqual(expect.arrayContaining(["seg"]));
    expect(Object.keys(result)).not.toEqual(expect.arrayContaining(["rtstruct"]));
    expect(result.notes.join(" ")).toContain("lies between the series' slices");
    expect(stored.size).toBe(1);
    const { dataSet } = readPart10(stored.get(result.sr!.sopInstanceUid)!);
    expect(firstText(dataSet, "Modality")).toBe("SR");
  });

  test("is a segment without a frame beside others", async () => {
    const { ports, stored } = await openUneven(CASES[0]!.given);
    const request = {
      series: CASES[0]!.given.series,
      prompts: promptsFrom([{ text: "bright" }, { text: "dark" }]),
      resample: true,
    };
    const result = await segmentSeries({ ...ports, models: registryOf(betweenModel()) }, request, quiet);
    const part10 = stored.get(result.seg!.sopInstanceUid)!;
    expect(items(readPart10(part10, { stopBeforePixels: true }).dataSet, "SegmentSequence")).toHaveLength(2);
    expect(decodeSeg(part10).frames.every(({ segmentNumber }) => segmentNumber === 2)).toBe(true);
  });
});
