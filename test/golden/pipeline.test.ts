import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Vec3 } from "#converters/geometry/index.ts";
import { planeSize, planeWalk } from "#converters/mask/index.ts";
import {
  chooseSliceAxis,
  padToSquare,
  resizeBicubicFloat,
  resizeBicubicUint8,
  sliceInput,
  sliceOutput,
  squarePadding,
  takePlane,
  upsampleAntialiased,
} from "#converters/pixels/index.ts";
import { openSafetensors } from "../fixtures/safetensors.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

interface PipelineCase {
  readonly name: string;
  readonly shape: readonly [number, number, number];
  readonly dtype: "uint8" | "float32";
  readonly size: number;
  /** numpy's axis: 0 is the slice k. */
  readonly axis: 0 | 1 | 2;
  readonly padded: number;
  readonly pad: readonly (readonly [number, number])[];
}

const thresholds = { mask: 0.5, existence: 0.5, nmsIou: 0.5 };

describeWithData("upstream's own pre- and post-processing", () => {
  const golden = openSafetensors(dataPath("boltzformer_golden", "pipeline.golden.safetensors"));
  const cases = JSON.parse(
    readFileSync(dataPath("boltzformer_golden", "pipeline.json"), "utf8"),
  ) as readonly PipelineCase[];
  const voxelsOf = ({ name, dtype }: PipelineCase) =>
    dtype === "uint8" ? golden.tensor(`${name}.volume`, "U8").values : golden.tensor(`${name}.volume`, "F32").values;
  const sizeOf = ({ shape: [nk, nj, ni] }: PipelineCase): Vec3 => [ni, nj, nk];

  test("all nine shapes are there in both types", () => {
    expect(cases.filter(({ dtype }) => dtype === "uint8")).toHaveLength(9);
    expect(cases.filter(({ dtype }) => dtype === "float32")).toHaveLength(9);
  });

  test.each(cases)("$name $shape: axis, padding and every resized pixel are equal", (c) => {
    const axis = chooseSliceAxis(c.shape);
    expect(axis).toBe(2 - c.axis);
    const plane = planeSize(sizeOf(c), axis);
    const padding = squarePadding(plane);
    expect([padding.side, padding.top, padding.left]).toEqual([c.padded, c.pad[1]![0], c.pad[2]![0]]);

    const { shape, values } = golden.tensor(`${c.name}.slices`, "I16");
    const voxels = voxelsOf(c);
    const resized = new Int16Array(values.length);
    for (let index = 0; index < shape[0]!; index++) {
      const square = padToSquare(takePlane(voxels, sizeOf(c), axis, index), plane);
      const from = [padding.side, padding.side] as const;
      const to = [c.size, c.size] as const;
      const picture =
        square instanceof Uint8Array ? resizeBicubicUint8(square, from, to) : resizeBicubicFloat(square, from, to);
      resized.set(picture, index * c.size ** 2);
    }
    expect(resized).toEqual(values);
  });

  test.each(cases)("$name: channels are the slice, the one before and the one after, reflected at the ends", (c) => {
    const { values: slices, shape } = golden.tensor(`${c.name}.slices`, "I16");
    const input = sliceInput(voxelsOf(c), sizeOf(c), chooseSliceAxis(c.shape), c.size);
    const last = shape[0]! - 1;
    expect(input.planes).toBe(last + 1);
    const pixels = c.size ** 2;
    const out = new Float32Array(3 * pixels + 5).fill(-1);
    const slice = (index: number) => Float32Array.from(slices.subarray(index * pixels, (index + 1) * pixels));
    for (const index of [0, last, Math.floor(last / 2), ...Array(last + 1).keys()]) {
      input.writeChannels(index, out, 5);
      expect(out.subarray(0, 5)).toEqual(new Float32Array(5).fill(-1));
      expect(out.subarray(5, 5 + pixels)).toEqual(slice(index));
      expect(out.subarray(5 + pixels, 5 + 2 * pixels)).toEqual(slice(index > 0 ? index - 1 : Math.min(1, last)));
      expect(out.subarray(5 + 2 * pixels)).toEqual(slice(index < last ? index + 1 : Math.max(0, last - 1)));
    }
  });

  const answered = cases.filter(({ dtype }) => dtype === "uint8");

  test.each(answered)("$name: antialiased upsampling is equal to 1e-5", (c) => {
    const logits = golden.tensor(`${c.name}.mask_logits`, "F32");
    const upsampled = golden.tensor(`${c.name}.upsampled`, "F32");
    const [prompts, depth, side] = logits.shape as [number, number, number];
    let worst = 0;
    for (let n = 0; n < prompts * depth; n++) {
      const plane = logits.values.subarray(n * side ** 2, (n + 1) * side ** 2);
      const ours = upsampleAntialiased(plane, [side, side], [c.size, c.size]);
      for (let p = 0; p < ours.length; p++) {
        worst = Math.max(worst, Math.abs(ours[p]! - upsampled.values[n * c.size ** 2 + p]!));
      }
    }
    expect(worst).toBeLessThan(1e-5);
  });

  /** The label volume that our slice-by-slice answers make, in the volume's own order. */
  function labelsOf(c: PipelineCase, promptsAsked: number): Uint8Array {
    const logits = golden.tensor(`${c.name}.mask_logits`, "F32");
    const existence = golden.tensor(`${c.name}.existence_logits`, "F32").values;
    const [, depth, logitSize] = logits.shape as [number, number, number];
    const axis = chooseSliceAxis(c.shape);
    const size = sizeOf(c);
    const [width, height] = planeSize(size, axis);
    const output = sliceOutput({
      nearest: "corner",
      plane: [width, height],
      imageSize: c.size,
      logitSize,
      prompts: promptsAsked,
      merge: "exclusive",
      thresholds,
      probabilities: false,
    });
    const labels = new Uint8Array(size[0] * size[1] * size[2]);
    for (let index = 0; index < depth; index++) {
      const mask = new Float32Array(promptsAsked * logitSize ** 2);
      for (let p = 0; p < promptsAsked; p++) {
        const start = (p * depth + index) * logitSize ** 2;
        mask.set(logits.values.subarray(start, start + logitSize ** 2), p * logitSize ** 2);
      }
      const scores = Float32Array.from({ length: promptsAsked }, (_, p) => existence[p * depth + index]!);
      const { start, stepAcross, stepDown } = planeWalk(size, axis, index);
      for (const [p, answer] of output(mask, scores).entries()) {
        answer.mask?.forEach((bit, pixel) => {
          if (bit) labels[start + (pixel % width) * stepAcross + Math.floor(pixel / width) * stepDown] = p + 1;
        });
      }
    }
    return labels;
  }

  test.each(answered)("$name: suppression, merge, nearest and unpadding give upstream's labels", (c) => {
    expect(labelsOf(c, 3)).toEqual(golden.tensor(`${c.name}.labels`, "U8").values);
  });

  test.each(answered)("$name: the first prompt alone gives upstream's mask", (c) => {
    expect(labelsOf(c, 1)).toEqual(golden.tensor(`${c.name}.labels_first_prompt_alone`, "U8").values);
  });

  test("a hard edge overshoots and is clamped between the two passes as PyTorch does on uint8", () => {
    const { shape, values } = golden.tensor("edge.uint8.in", "U8");
    const wanted = golden.tensor("edge.uint8.out", "U8");
    const [height, width] = shape as [number, number];
    const [newHeight, newWidth] = wanted.shape as [number, number];
    expect(resizeBicubicUint8(values, [width, height], [newWidth, newHeight])).toEqual(wanted.values);
  });
});
