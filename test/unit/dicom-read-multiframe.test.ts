import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { axial, columns, rows, storedValue } from "../fixtures/ct-slices.ts";
import { encodeRle } from "../fixtures/encode-rle.ts";
import { compressedEnhancedCt, enhancedCt } from "../fixtures/enhanced-ct.ts";

const perSlice = rows * columns;
const RLE = "1.2.840.10008.1.2.5";
const JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70";

const fourFrames = [3, 0, 2, 1].map((k) => ({ k }));

describe("an enhanced image", () => {
  test("is a volume whose slices are its frames, put in order by their positions", async () => {
    const { volume } = await decodeSeries([enhancedCt(fourFrames)]);
    expect(volume.geometry.size).toEqual([columns, rows, 4]);
    expect(volume.unit).toBe("HU");
    expect(volume.sources.map(({ frame }) => frame)).toEqual([2, 4, 3, 1]);
    expect(volume.sources.map(({ positionLps }) => positionLps[2])).toEqual(
      [0, 1, 2, 3].map((k) => axial.origin[2] + k * axial.spacingMm),
    );
    for (let k = 0; k < 4; k++) expect(volume.voxels[k * perSlice + 1]).toBe(storedValue(k) - 1024);
  });

  test("is scaled frame by frame", async () => {
    const frames = [0, 1, 2].map((k) => ({ k, slope: String(k + 1), intercept: String(-k) }));
    const { voxels } = (await decodeSeries([enhancedCt(frames)])).volume;
    expect(voxels).toBeInstanceOf(Int16Array);
    expect([0, 1, 2].map((k) => voxels[k * perSlice + 1])).toEqual([100, 2 * 101 - 1, 3 * 102 - 2]);
    const halves = frames.map((frame) => ({ ...frame, slope: frame.k === 1 ? "0.5" : "1" }));
    const floats = (await decodeSeries([enhancedCt(halves)])).volume.voxels;
    expect(floats).toBeInstanceOf(Float32Array);
    expect([0, 1, 2].map((k) => floats[k * perSlice + 1])).toEqual([100, 0.5 * 101 - 1, 102 - 2]);
  });

  test("may be one of several that hold the volume together", async () => {
    const parts = [
      [{ k: 0 }, { k: 1 }],
      [{ k: 2 }, { k: 3 }],
    ].map((frames, n) => enhancedCt(frames, { SOPInstanceUID: `2.25.9.${n}` }));
    const { volume } = await decodeSeries(parts);
    expect(volume.sources.map(({ sopInstanceUid, frame }) => [sopInstanceUid, frame])).toEqual([
      ["2.25.9.0", 1],
      ["2.25.9.0", 2],
      ["2.25.9.1", 1],
      ["2.25.9.1", 2],
    ]);
  });

  test("of several stacks or times gives one of them, by number", async () => {
    const stacks = ["head", "neck"].flatMap((stack, n) => [0, 1, 2].map((k) => ({ k: k + n * 10, stack })));
    const neck = await decodeSeries([enhancedCt(stacks)], { volume: 1 });
    expect(neck.volume.sources.map(({ frame }) => frame)).toEqual([4, 5, 6]);
    expect(neck.notes.join()).toMatch(/2 volumes, 0 to 1, told apart by stack; volume 1/);
    const times = [0, 1, 2].flatMap((k) => [1, 2].map((temporalPosition) => ({ k, temporalPosition })));
    const first = await decodeSeries([enhancedCt(times)]);
    expect(first.volume.sources.map(({ frame }) => frame)).toEqual([1, 3, 5]);
    expect(first.notes.join()).toMatch(/temporal position; volume 0 was read/);
  });

  test.each([
    ["has fewer descriptions than frames", { NumberOfFrames: "5" }, "unreadable-instance", /5 frames but describes 4/],
    ["has too few pixels", { PixelData: new Uint8Array(perSlice * 7) }, "corrupt-pixel-data", /140 bytes/],
    ["is no image", { SOPClassUID: "1.2.840.10008.5.1.4.1.1.66.4" }, "non-image-object", /Segmentation/],
  ])("that %s is refused", async (_, changes, reason, words) => {
    await expect(decodeSeries([enhancedCt(fourFrames, changes)])).rejects.toMatchObject({
      reason,
      message: expect.stringMatching(words),
    });
  });
});

describe("a compressed enhanced image", () => {
  const encodedFrames = fourFrames.map(({ k }) => {
    const words = new Uint16Array(perSlice).fill(storedValue(k));
    words[0] = 1000;
    return encodeRle(new Uint8Array(words.buffer), 2);
  });

  test("has a fragment a frame, whatever its offset table says", async () => {
    const native = await decodeSeries([enhancedCt(fourFrames)]);
    for (const offsets of [[], [0, 1, 2, 3]]) {
      const { volume } = await decodeSeries([compressedEnhancedCt(fourFrames, RLE, encodedFrames, offsets)]);
      expect(volume).toEqual(native.volume);
    }
  });

  test("whose frames lie in several fragments is told apart by its offset table", async () => {
    const native = await decodeSeries([enhancedCt(fourFrames)]);
    const halves = encodedFrames.flatMap((frame) => [frame.subarray(0, 66), frame.subarray(66)]);
    let at = 0;
    const offsets = encodedFrames.map((frame) => {
      const start = at;
      at += frame.length + 16;
      return start;
    });
    const { volume } = await decodeSeries([compressedEnhancedCt(fourFrames, RLE, halves, offsets)]);
    expect(volume).toEqual(native.volume);
    await expect(decodeSeries([compressedEnhancedCt(fourFrames, RLE, halves, [])])).rejects.toMatchObject({
      reason: "corrupt-pixel-data",
      message: expect.stringMatching(/8 fragments.*4 frames/),
    });
  });

  test("with a damaged frame is refused, and its instance and frame are named", async () => {
    const damaged = encodedFrames.with(2, new Uint8Array(20));
    for (const transferSyntax of [RLE, JPEG_LOSSLESS]) {
      await expect(decodeSeries([compressedEnhancedCt(fourFrames, transferSyntax, damaged)])).rejects.toMatchObject({
        reason: "corrupt-pixel-data",
        details: { instance: 1, instances: 1 },
        message: expect.stringMatching(transferSyntax === RLE ? /in frame 3:/ : /in frame \d:/),
      });
    }
  });
});
