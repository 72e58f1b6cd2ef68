import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Graph } from "#models/boltzformer/graph.ts";
import { halfPrecision } from "#models/boltzformer/half-precision.ts";
import { HalfWeights } from "#models/boltzformer/half-weights.ts";
import { perceptron, relu } from "#models/boltzformer/layers.ts";
import { OFFICIAL_CONFIG } from "#models/boltzformer/network-config.ts";
import { openFile } from "#models/boltzformer/weights/byte-source.ts";
import { encodeModel, type OnnxModel } from "#models/onnx/model.ts";
import { writeChunks } from "#models/onnx/write-file.ts";
import { runInProcess } from "../fixtures/onnx-runner.ts";

const INPUTS = 6;
const OUTPUTS = 5;
const ROWS = 11;
const sines = (length: number, step: number, scale: number) =>
  Float32Array.from({ length }, (_, n) => Math.sin(n * step + 1) * scale);
const rows = sines(ROWS * INPUTS, 0.7, 1);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-perceptron-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Both layers' tensors, one after the other in a file, and a graph of the two. */
async function perceptronOf(hidden: number, parts: number): Promise<{ model: OnnxModel; expected: number[] }> {
  const values = {
    "first.weight": { shape: [hidden, INPUTS], data: sines(hidden * INPUTS, 0.31, 0.5) },
    "first.bias": { shape: [hidden], data: sines(hidden, 0.17, 0.5) },
    "second.weight": { shape: [OUTPUTS, hidden], data: sines(OUTPUTS * hidden, 0.23, 0.05) },
    "second.bias": { shape: [OUTPUTS], data: sines(OUTPUTS, 0.4, 0.5) },
  };
  let offset = 0;
  const tensors = new Map<string, { readonly shape: readonly number[]; readonly offset: number }>();
  for (const [name, { shape, data }] of Object.entries(values)) {
    tensors.set(name, { shape, offset });
    offset += data.byteLength;
  }
  await writeFile(
    join(folder, "weights"),
    Buffer.concat(Object.values(values).map(({ data }) => Buffer.from(data.buffer))),
  );
  const graph = new Graph({ config: OFFICIAL_CONFIG, layout: "channels-first", tensors, file: "weights" });
  graph.name("y", perceptron(graph, "x", ["first", "second"], { activate: relu, parts }));
  const model = graph.model(
    "perceptron",
    [{ name: "x", dtype: "float32", dims: ["N", INPUTS] }],
    [{ name: "y", dtype: "float32", dims: ["N", OUTPUTS] }],
  );
  const layer = (x: Float32Array, name: "first" | "second") => {
    const { data, shape } = values[`${name}.weight`];
    const [to = 0, from = 0] = shape;
    const bias = values[`${name}.bias`].data;
    return Float32Array.from({ length: (x.length / from) * to }, (_, n) => {
      const [row, out] = [Math.floor(n / to), n % to];
      let sum = bias[out]!;
      for (let k = 0; k < from; k++) sum += x[row * from + k]! * data[out * from + k]!;
      return sum;
    });
  };
  return {
    model,
    expected: [
      ...layer(
        layer(rows, "first").map((value) => Math.max(0, value)),
        "second",
      ),
    ],
  };
}

async function answer(model: OnnxModel): Promise<readonly number[]> {
  await writeChunks(join(folder, "graph.onnx"), encodeModel(model));
  const { y } = await runInProcess(join(folder, "graph.onnx"), {
    x: { dtype: "float32", dims: [ROWS, INPUTS], data: rows },
  });
  await rm(join(folder, "graph.onnx"));
  return [...(y!.data as Float32Array)];
}

const largestDifference = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, n) => Math.abs(value - b[n]!)));

test.each([
  [1024, 1],
  [1024, 4],
  [1000, 1],
  [1000, 3],
])("hidden rows of %i, taken in %i parts, are the same two layers", async (hidden, parts) => {
  const { model, expected } = await perceptronOf(hidden, parts);
  const answered = await answer(model);
  expect(answered).toHaveLength(ROWS * OUTPUTS);
  expect(largestDifference(answered, expected)).toBeLessThan(1e-5);
  // Room is made where rows are as long as a page, and nowhere else.
  const hasRoom = ({ inputs }: { readonly inputs: readonly string[] }) =>
    inputs.some((name) => name.startsWith("zeros"));
  expect(model.nodes.filter(hasRoom)).toHaveLength(hidden === 1024 ? 3 : 0);
});

test("so they are in half precision, as far as that goes", async () => {
  const { model, expected } = await perceptronOf(1024, 4);
  const placing = new HalfWeights("halves");
  const half = halfPrecision(model, placing);
  await using source = await openFile(join(folder, "weights"));
  await using file = await open(join(folder, "halves"), "w");
  for await (const bytes of placing.bytes(source)) await file.writeFile(bytes);
  expect(half.nodes.filter(({ op }) => op === "Gemm")).toHaveLength(8);
  expect(largestDifference(await answer(half), expected)).toBeLessThan(2e-2);
});
