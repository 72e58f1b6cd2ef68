import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { brainT1Graph, weightShapes } from "../../models/brain-t1/graph.ts";
import { readInitializers, readMetadata } from "../../models/brain-t1/read-initializers.ts";
import { encodeModel } from "../../models/onnx/model.ts";
import { float32, int64 } from "../../models/onnx/tensor.ts";

const file = join(import.meta.dirname, "../../models/brain-t1/brain-t1.onnx");

let shipped: Uint8Array;
beforeAll(async () => {
  shipped = await readFile(file);
});

test("the shipped network is the graph that is defined here around its weights, byte for byte", () => {
  const weights = readInitializers(shipped);
  const rebuilt = Buffer.concat(encodeModel(brainT1Graph(weights, readMetadata(shipped))));
  expect(rebuilt.equals(shipped)).toBe(true);
});

test("it is small: at most 4 million weights in at most 8 MB", () => {
  const count = [...weightShapes().values()].reduce((sum, dims) => sum + dims.reduce((a, b) => a * b, 1), 0);
  expect(count).toBeLessThanOrEqual(4e6);
  expect(shipped.byteLength).toBeLessThanOrEqual(8e6);
});

test("a weight of another shape is refused by its name", () => {
  const weights = new Map(readInitializers(shipped));
  weights.set("narrow.2.bias", float32("narrow.2.bias", [64], new Float32Array(64)));
  expect(() => brainT1Graph(weights)).toThrow(/narrow\.2\.bias/);
});

test("constants and metadata are read back as they were written", () => {
  const initializers = [float32("a", [2, 1], [0.5, -3]), int64("b", [], [-7])];
  const metadata = { steps: "12", of: "a test" };
  const bytes = Buffer.concat(
    encodeModel({ name: "two", opset: 20, inputs: [], outputs: [], nodes: [], initializers, metadata }),
  );
  const read = readInitializers(bytes);
  expect([...read.keys()]).toEqual(["a", "b"]);
  for (const { name, dtype, dims, data } of initializers) {
    expect(read.get(name)).toMatchObject({ dtype, dims });
    expect(Buffer.from(read.get(name)?.data as Uint8Array)).toEqual(Buffer.from((data as Float32Array).buffer));
  }
  expect(readMetadata(bytes)).toEqual(metadata);
  expect(() => readInitializers(bytes.subarray(0, -3))).toThrow(RangeError);
});

describe("what it answers", () => {
  let session: ort.InferenceSession;
  beforeAll(async () => {
    session = await ort.InferenceSession.create(file);
    return () => session.release();
  });

  async function labelsOf(values: Float32Array, dims: readonly [number, number, number]) {
    const { labels } = await session.run({ volume: new ort.Tensor("float32", values, [1, 1, ...dims]) });
    return { dims: labels!.dims, data: labels!.data as Uint8Array };
  }

  const dims = [41, 50, 37] as const;
  /** A bright ball with a darker core. */
  const ball = Float32Array.from({ length: dims[0] * dims[1] * dims[2] }, (_, n) => {
    const [i, j, k] = [n % dims[2], Math.floor(n / dims[2]) % dims[1], Math.floor(n / dims[2] / dims[1])];
    const r = Math.hypot(i - 18, j - 25, k - 20);
    return r > 17 ? 0 : r > 9 ? 0.8 : 0.5 + 0.01 * ((i * 7 + j * 3 + k) % 5);
  });

  test("has the size of the input, whatever that is, and no label beyond 18", async () => {
    const labels = await labelsOf(ball, dims);
    expect(labels.dims).toEqual([1, ...dims]);
    expect(Math.max(...labels.data)).toBeLessThanOrEqual(18);
  });

  test("does not depend on the scale of the values", async () => {
    const [one, thousand] = [
      await labelsOf(ball, dims),
      await labelsOf(
        ball.map((value) => 1024 * value),
        dims,
      ),
    ];
    expect(Buffer.from(thousand.data).equals(Buffer.from(one.data))).toBe(true);
  });
});
