import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeModel, type OnnxModel } from "../../models/onnx/model.ts";
import { Message } from "../../models/onnx/protobuf.ts";
import { float32, int64, type OnnxTensor } from "../../models/onnx/tensor.ts";
import { writeChunks } from "../../models/onnx/write-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "onnx-writer-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** y = x + addend */
function addition(addend: OnnxTensor): OnnxModel {
  return {
    name: "addition",
    opset: 20,
    inputs: [{ name: "x", dtype: "float32", dims: ["N", 3] }],
    outputs: [{ name: "y", dtype: "float32", dims: ["N", 3] }],
    nodes: [{ op: "Add", inputs: ["x", addend.name], outputs: ["y"] }],
    initializers: [addend],
    metadata: { author: "test" },
  };
}

/** The numbers of each output. */
async function run(
  session: ort.InferenceSession,
  x: ort.Tensor,
): Promise<Record<string, readonly (number | bigint)[]>> {
  const outputs = Object.entries(await session.run({ x }));
  return Object.fromEntries(outputs.map(([name, { data }]) => [name, [...(data as Iterable<number | bigint>)]]));
}

test("onnxruntime runs what was written, with any size where a dim is a word", async () => {
  const bytes = Buffer.concat(encodeModel(addition(float32("addend", [3], [10, 20, 30]))));
  const session = await ort.InferenceSession.create(bytes);
  for (const rows of [1, 2]) {
    const x = new ort.Tensor("float32", new Float32Array(3 * rows).fill(0.5), [rows, 3]);
    const { y } = await run(session, x);
    expect(y).toEqual(Array.from({ length: rows }, () => [10.5, 20.5, 30.5]).flat());
  }
});

test("weights may stay in another file, at an offset, and onnxruntime reads them from there", async () => {
  await writeFile(join(folder, "weights.bin"), Buffer.from(Float32Array.of(9, 9, 1, 2, 3, 9).buffer));
  const data = { location: "weights.bin", offset: 8, length: 12 };
  const path = join(folder, "external.onnx");
  await writeChunks(path, encodeModel(addition({ name: "addend", dtype: "float32", dims: [3], data })));
  const session = await ort.InferenceSession.create(path);
  const { y } = await run(session, new ort.Tensor("float32", [0, 0, 0], [1, 3]));
  expect(y).toEqual([1, 2, 3]);
});

test("attributes of every kind reach the operators", async () => {
  const model: OnnxModel = {
    name: "attributes",
    opset: 20,
    inputs: [{ name: "x", dtype: "float32", dims: [1, 4] }],
    outputs: [
      { name: "leaky", dtype: "float32", dims: [1, 4] },
      { name: "last", dtype: "float32", dims: [1, 1] },
      { name: "constant", dtype: "float32", dims: [2] },
      { name: "listed", dtype: "float32", dims: [2] },
      { name: "numbers", dtype: "int64", dims: [3] },
      { name: "gelu", dtype: "float32", dims: [1, 4] },
    ],
    nodes: [
      { op: "LeakyRelu", inputs: ["x"], outputs: ["leaky"], attributes: { alpha: { float: 0.5 } } },
      { op: "Gather", inputs: ["x", "index"], outputs: ["last"], attributes: { axis: { int: -1 } } },
      {
        op: "Constant",
        inputs: [],
        outputs: ["constant"],
        attributes: { value: { tensor: float32("", [2], [3, 4]) } },
      },
      { op: "Constant", inputs: [], outputs: ["listed"], attributes: { value_floats: { floats: [1.5, -2] } } },
      { op: "Constant", inputs: [], outputs: ["numbers"], attributes: { value_ints: { ints: [-1, 0, 2 ** 40] } } },
      { op: "Gelu", inputs: ["x"], outputs: ["gelu"], attributes: { approximate: { string: "none" } } },
    ],
    initializers: [int64("index", [1], [-1])],
  };
  const session = await ort.InferenceSession.create(Buffer.concat(encodeModel(model)));
  const outputs = await run(session, new ort.Tensor("float32", [-2, 0, 1, 7], [1, 4]));
  expect(outputs.leaky).toEqual([-1, 0, 1, 7]);
  expect(outputs.last).toEqual([7]);
  expect(outputs.constant).toEqual([3, 4]);
  expect(outputs.listed).toEqual([1.5, -2]);
  expect(outputs.numbers).toEqual([-1n, 0n, 2n ** 40n]);
  expect(outputs.gelu?.[2]).toBeCloseTo(0.8413447, 6);
});

test("the bytes of a tensor are passed on by reference, and the same model gives the same bytes", () => {
  const weights = Float32Array.of(1, 2, 3);
  const model = addition({ name: "addend", dtype: "float32", dims: [3], data: weights });
  const chunks = encodeModel(model);
  expect(chunks.some((chunk) => chunk.buffer === weights.buffer)).toBe(true);
  expect(Buffer.concat(encodeModel(model)).equals(Buffer.concat(chunks))).toBe(true);
});

test("a tensor whose bytes do not fit its dims is refused by name", () => {
  expect(() => encodeModel(addition(float32("addend", [4], [1, 2, 3])))).toThrow(
    'tensor "addend" float32[4] needs 16 bytes and has 12',
  );
});

test("a varint decodes to the number that went in, negative ones as 64-bit two's complement", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.integer({ min: 1, max: 1000 }),
      (value, field) => {
        const bytes = Buffer.concat(new Message().int(field, value).chunks());
        const [key, after] = readVarint(bytes, 0);
        const [decoded, end] = readVarint(bytes, after);
        expect([key, BigInt.asIntN(64, decoded), end]).toEqual([BigInt(field * 8), value, bytes.length]);
      },
    ),
  );
});

test("a file holds the chunks in order, and its reference says its size and sha256", async () => {
  const chunks = [Buffer.from("small"), Buffer.alloc(3 * 2 ** 20, 7), Buffer.from("after"), Buffer.alloc(2 ** 20, 8)];
  const path = join(folder, "chunks.bin");
  const reference = await writeChunks(path, chunks);
  const written = await readFile(path);
  expect(written.equals(Buffer.concat(chunks))).toBe(true);
  expect(reference).toMatchObject({ name: "chunks.bin", bytes: written.length });
  const digest = await crypto.subtle.digest("SHA-256", written);
  expect(reference.sha256).toBe(Buffer.from(digest).toString("hex"));
});

function readVarint(bytes: Uint8Array, from: number): readonly [value: bigint, end: number] {
  let [value, shift, at] = [0n, 0n, from];
  for (; ; at++, shift += 7n) {
    value |= BigInt(bytes[at]! & 127) << shift;
    if (bytes[at]! < 128) return [value, at + 1];
  }
}

test("a graph may have as many nodes as it likes", async () => {
  const links = 10_000;
  const chain = Array.from({ length: links }, (_, n) => ({
    op: "Add",
    inputs: [n === 0 ? "x" : `y${n - 1}`, "addend"],
    outputs: [n === links - 1 ? "y" : `y${n}`],
    attributes: {},
  }));
  const bytes = Buffer.concat(encodeModel({ ...addition(float32("addend", [3], [1, 0, 0])), nodes: chain }));
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled" });
  const { y } = await run(session, new ort.Tensor("float32", new Float32Array(3), [1, 3]));
  expect(y).toEqual([links, 0, 0]);
});
