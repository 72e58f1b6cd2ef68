import { describe, expect, test } from "vitest";
import {
  asGreyLevels,
  chooseSliceAxis,
  clipPercentiles,
  neighbours,
  padToSquare,
  percentileWindow,
  planeToPicture,
  rangeToUint8,
  resizeBicubicUint8,
  sliceOutput,
  squarePadding,
  takePlane,
  upsampleAntialiased,
  windowToUint8,
} from "#converters/pixels/index.ts";

const thresholds = { mask: 0.5, existence: 0.5, nmsIou: 0.5 };

describe("grey levels", () => {
  test("the soft tissue window puts -160 HU at black, 240 HU at white, and truncates between", () => {
    const hu = Int16Array.of(-32768, -161, -160, -159, 40, 239, 240, 241, 32767);
    // numpy: ((np.clip(hu, -160, 240) + 160) / 400 * 255).astype(np.uint8)
    expect([...windowToUint8(hu, { width: 400, level: 40 })]).toEqual([0, 0, 0, 0, 127, 254, 255, 255, 255]);
  });

  test("every kind of voxel is windowed alike", () => {
    const values = [0, 1, 17, 63, 100, 127];
    const wanted = values.map((value) => Math.min(255, Math.trunc((value / 100) * 255)));
    for (const kind of [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array] as const) {
      expect([...rangeToUint8(kind.from(values), { lower: 0, upper: 100 })]).toEqual(wanted);
    }
    for (const kind of [Float32Array, Float64Array] as const) {
      expect([...rangeToUint8(kind.from(values), { lower: 0, upper: 100 })]).toEqual(wanted);
    }
  });

  test("what is no number is black, and a range without width makes what is above it white", () => {
    const voxels = Float32Array.of(NaN, 50, Infinity, -Infinity);
    expect([...windowToUint8(voxels, { width: 100, level: 50 })]).toEqual([0, 127, 0, 0]);
    expect([...rangeToUint8(Float32Array.of(4, 5, 6), { lower: 5, upper: 5 })]).toEqual([0, 0, 255]);
  });

  test("whole numbers that span 0..255 pass untouched, a Uint8Array without a copy", () => {
    const bytes = Uint8Array.of(0, 7, 255);
    expect(asGreyLevels(bytes)).toBe(bytes);
    expect(asGreyLevels(Float32Array.of(0, 7, 255))).toEqual(bytes);
    expect(asGreyLevels(Float64Array.of(NaN, 7, 255))).toEqual(bytes);
    expect(asGreyLevels(Float32Array.of(Infinity, 7, 255, -Infinity))).toEqual(Uint8Array.of(0, 7, 255, 0));
    expect(asGreyLevels(Float32Array.of(NaN, NaN))).toBeUndefined();
  });

  test.each([
    ["fractions", Float32Array.of(0, 0.5, 255)],
    ["negative values", Int16Array.of(-1, 255)],
    ["values above 255", Int16Array.of(0, 256)],
    ["a dark range, which is not one that was spread over 0..255", Uint8Array.of(0, 1, 2)],
  ])("%s still have to be windowed", (_, voxels) => {
    expect(asGreyLevels(voxels)).toBeUndefined();
  });
});

describe("percentiles", () => {
  test("they are numpy's: linear between ranks", () => {
    // np.percentile([10, 20, 30, 40], [25, 60]) == [17.5, 28]
    expect(percentileWindow(Int16Array.of(40, 10, 30, 20), { lower: 25, upper: 60 })).toEqual({
      lower: 17.5,
      upper: 28,
    });
  });

  test("only voxels above zero count, unless all are asked for", () => {
    const voxels = Float32Array.of(-5, 0, 0, 0, 1, 2, 3, NaN, Infinity);
    expect(percentileWindow(voxels, { lower: 0, upper: 100 })).toEqual({ lower: 1, upper: 3 });
    expect(percentileWindow(voxels, { lower: 0, upper: 100, of: "all" })).toEqual({ lower: -5, upper: 3 });
  });

  test("a volume without positive voxels goes by all of them, and one without any voxel is 0 to 0", () => {
    expect(percentileWindow(Int16Array.of(-3, -1, 0), { lower: 0, upper: 100 })).toEqual({ lower: -3, upper: 0 });
    expect(percentileWindow(Float32Array.of(NaN))).toEqual({ lower: 0, upper: 0 });
  });

  test("the brightest half percent is white and does not darken the rest", () => {
    const voxels = Uint16Array.from({ length: 1000 }, (_, n) => (n === 999 ? 60000 : n));
    const grey = clipPercentiles(voxels);
    expect(grey[999]).toBe(255);
    expect(grey[500]).toBeGreaterThan(125);
  });
});

describe("planes", () => {
  test.each([
    [[300, 512, 512], 2],
    [[40, 37, 9], 0],
    [[9, 64, 20], 2],
    [[64, 9, 20], 1],
    [[5, 40, 5], 2],
  ] as const)("a volume of %j (k, j, i) is walked along axis %i", (shape, axis) => {
    expect(chooseSliceAxis(shape)).toBe(axis);
  });

  test("a plane has its lower axis fastest, on whichever axis it stands", () => {
    // voxel (i, j, k) of 2 x 3 x 4 is 100 k + 10 j + i
    const voxels = Float32Array.from(
      { length: 24 },
      (_, n) => Math.floor(n / 6) * 100 + (Math.floor(n / 2) % 3) * 10 + (n % 2),
    );
    expect([...takePlane(voxels, [2, 3, 4], 2, 3)]).toEqual([300, 301, 310, 311, 320, 321]);
    expect([...takePlane(voxels, [2, 3, 4], 1, 2)]).toEqual([20, 21, 120, 121, 220, 221, 320, 321]);
    expect([...takePlane(voxels, [2, 3, 4], 0, 1)]).toEqual([1, 11, 21, 101, 111, 121, 201, 211, 221, 301, 311, 321]);
  });

  test("padding is centred, and the odd pixel goes to the end", () => {
    expect(squarePadding([2, 5])).toEqual({ side: 5, left: 1, top: 0 });
    const dirty = new Uint8Array(9).fill(9);
    expect([...padToSquare(Uint8Array.of(1, 2, 3, 4, 5, 6), [3, 2], dirty)]).toEqual([1, 2, 3, 4, 5, 6, 0, 0, 0]);
  });

  test("the channels beyond an end are the neighbour on the other side; a single plane is its own neighbour", () => {
    expect([neighbours(0, 5), neighbours(2, 5), neighbours(4, 5), neighbours(0, 1)]).toEqual([
      [0, 1, 1],
      [2, 1, 3],
      [4, 3, 3],
      [0, 0, 0],
    ]);
  });

  test("each plane pixel reads floor(i * from / to) of the picture, past the padding", () => {
    // A 2 x 4 plane in a 4 x 4 square, from an 8 x 8 picture: columns 1 and 2 of the square are picture columns 2 and 4.
    expect([...planeToPicture([2, 4], 8, "corner")]).toEqual([2, 4, 18, 20, 34, 36, 50, 52]);
  });

  test("or, by the centre rule, the picture pixel under its centre: a shift of the picture by itself is none", () => {
    expect([...planeToPicture([2, 4], 8, "centre")]).toEqual([11, 13, 27, 29, 43, 45, 59, 61]);
    const same = planeToPicture([6, 6], 6, "centre");
    expect(same).toEqual(planeToPicture([6, 6], 6, "corner"));
    // Seen from the other end the pixels chosen are the same: nothing moves to one side.
    const row = [...planeToPicture([5, 5], 15, "centre")].slice(0, 5).map((p) => p % 15);
    expect(row).toEqual(row.map((x) => 14 - x).reverse());
  });
});

describe("bicubic", () => {
  test("a plane of the right size is only copied", () => {
    const plane = Uint8Array.from({ length: 12 }, (_, n) => 20 * n);
    expect(resizeBicubicUint8(plane, [3, 4], [3, 4])).toEqual(plane);
  });

  test("antialiased upsampling does not go down in size", () => {
    expect(() => upsampleAntialiased(new Float32Array(16), [4, 4], [4, 2])).toThrow(RangeError);
  });
});

describe("from logits to masks on a plane", () => {
  const size = { plane: [4, 4], imageSize: 4, logitSize: 4 } as const;
  const left = Float32Array.from({ length: 16 }, (_, p) => (p % 4 < 2 ? 3 : -3));
  const leftAndMore = Float32Array.from({ length: 16 }, (_, p) => (p % 4 < 3 ? 2 : -3));
  const right = Float32Array.from({ length: 16 }, (_, p) => (p % 4 < 2 ? -3 : 3));
  const all = (...pictures: Float32Array[]) => Float32Array.from(pictures.flatMap((picture) => [...picture]));
  const columns = (mask: Uint8Array | undefined) => mask && [...mask.subarray(0, 4)];

  test("exclusive: of two prompts on the same place, the less certain one is suppressed", () => {
    const output = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 3,
      merge: "exclusive",
      thresholds,
      probabilities: false,
    });
    const answers = output(all(leftAndMore, left, right), Float32Array.of(1, 2, 0.5));
    expect(answers.map(({ mask }) => columns(mask))).toEqual([undefined, [1, 1, 0, 0], [0, 0, 1, 1]]);
  });

  test("what two prompts share is counted in pixels of the picture alone, whatever its width", () => {
    const everywhere = new Float32Array(16).fill(1);
    const output = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 2,
      merge: "exclusive",
      thresholds,
      probabilities: false,
    });
    // 3 of 4 columns are shared.
    const answers = output(all(leftAndMore, everywhere), Float32Array.of(1, 2));
    expect(answers.map(({ mask }) => columns(mask))).toEqual([undefined, [1, 1, 1, 1]]);
  });

  test("overlapping: each prompt keeps its own mask", () => {
    const output = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 3,
      merge: "overlapping",
      thresholds,
      probabilities: false,
    });
    const answers = output(all(leftAndMore, left, right), Float32Array.of(1, 2, -0.5));
    expect(answers.map(({ mask }) => columns(mask))).toEqual([[1, 1, 1, 0], [1, 1, 0, 0], undefined]);
    expect(answers[2]!.existence).toBeCloseTo(0.3775, 4);
  });

  test("a prompt at its existence threshold is gated alone, but takes part among others, as upstream has it", () => {
    const alone = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 1,
      merge: "exclusive",
      thresholds,
      probabilities: false,
    });
    expect(alone(left, Float32Array.of(0))[0]!.mask).toBeUndefined();
    const together = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 2,
      merge: "exclusive",
      thresholds,
      probabilities: false,
    });
    expect(columns(together(all(left, right), Float32Array.of(0, 1))[0]!.mask)).toEqual([1, 1, 0, 0]);
  });

  test("probabilities come before any threshold, rounded to 1/255, also for a prompt that is absent", () => {
    const output = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 1,
      merge: "exclusive",
      thresholds,
      probabilities: true,
    });
    const [answer] = output(left, Float32Array.of(-9));
    expect(answer!.mask).toBeUndefined();
    expect(columns(answer!.probability)).toEqual([243, 243, 12, 12]);
  });

  test("what comes back is not overwritten by the next plane", () => {
    const output = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 1,
      merge: "exclusive",
      thresholds,
      probabilities: true,
    });
    const [first] = output(left, Float32Array.of(5));
    output(right, Float32Array.of(5));
    expect(columns(first!.mask)).toEqual([1, 1, 0, 0]);
    expect(columns(first!.probability)).toEqual([243, 243, 12, 12]);
  });

  test("a stricter mask threshold is kept to exactly", () => {
    const output = sliceOutput({
      nearest: "corner",
      ...size,
      prompts: 1,
      merge: "overlapping",
      thresholds: { ...thresholds, mask: 0.9 },
      probabilities: false,
    });
    const logits = Float32Array.from({ length: 16 }, (_, p) => [2.1972, 2.1973, 0, 4][p % 4]!);
    // 1 / (1 + exp(-ln 9)) = 0.9 and ln 9 = 2.197224...
    expect(columns(output(logits, Float32Array.of(5))[0]!.mask)).toEqual([0, 1, 0, 1]);
  });
});
