import { describe, expect, test } from "vitest";
import { readSafetensors, readSafetensorsWeights } from "#models/boltzformer/weights/safetensors.ts";
import { ModelBundleError } from "#models/index.ts";
import { byteSource } from "../fixtures/byte-source.ts";

function fileOf(header: unknown, dataBytes: number): Buffer {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  return Buffer.concat([length, Buffer.from(text), Buffer.alloc(dataBytes)]);
}

const entry = (start: number, end: number, changes: object = {}) => ({
  dtype: "F32",
  shape: [(end - start) / 4],
  data_offsets: [start, end],
  ...changes,
});

const read = (file: Buffer) => readSafetensorsWeights(byteSource(file, "weights.safetensors"));

describe("the table of contents of a safetensors file", () => {
  test("leads to the values, in whatever order tensors are named", async () => {
    const header = {
      __metadata__: { format: "mlx" },
      b: entry(8, 32, { shape: [2, 3] }),
      a: entry(0, 8),
      none: entry(32, 32),
    };
    const file = fileOf(header, 32);
    const tensors = await read(file);
    const data = file.length - 32;
    expect([...tensors.keys()]).toEqual(["b", "a", "none"]);
    expect(tensors.get("a")).toMatchObject({ shape: [2], offset: data });
    expect(tensors.get("b")).toMatchObject({ shape: [2, 3], offset: data + 8 });
  });

  test("may hold other types where no weights are wanted", async () => {
    const file = fileOf({ image: { dtype: "U8", shape: [3], data_offsets: [0, 3] } }, 3);
    expect((await readSafetensors(byteSource(file))).get("image")).toMatchObject({ dtype: "U8", bytes: 3 });
  });
});

describe("a safetensors file that cannot be used ends in a named error", () => {
  const huge = fileOf({ a: entry(0, 8) }, 8);
  huge.writeBigUInt64LE(2n ** 63n, 0);
  test.each([
    ["a header longer than the file", huge, /header of/],
    ["a header that is no JSON", fileOf("{nothing", 0), /not JSON/],
    ["a header nested beyond reason", fileOf(`{"a":${"[".repeat(200_000)}`, 0), /not JSON/],
    ["a header that is a list", fileOf("[]", 0), /no list of tensors/],
    ["an entry that describes nothing", fileOf({ a: { dtype: "F32" } }, 0), /describes no tensor/],
    ["an unknown type", fileOf({ a: entry(0, 8, { dtype: "F33" }) }, 8), /describes no tensor/],
    ["values of half the precision", fileOf({ a: entry(0, 8, { dtype: "F16", shape: [4] }) }, 8), /as F16/],
    ["a negative length", fileOf({ a: entry(0, 8, { shape: [-2] }) }, 8), /describes no tensor/],
    ["bytes that are not its shape's", fileOf({ a: entry(0, 8, { shape: [3] }) }, 8), /8 bytes for "a" in place of 12/],
    ["a range that ends before it starts", fileOf({ a: entry(8, 0, { shape: [] }) }, 8), /-8 bytes/],
    ["a range beyond the end", fileOf({ a: entry(0, 16) }, 8), /bytes long/],
    ["tensors that overlap", fileOf({ a: entry(0, 8), b: entry(4, 12) }, 12), /overlap/],
    ["the same bytes under two names", fileOf({ a: entry(0, 8), b: entry(0, 8) }, 8), /overlap/],
    ["a gap", fileOf({ a: entry(0, 8), b: entry(12, 20) }, 20), /leave a gap/],
    ["bytes that are nobody's", fileOf({ a: entry(0, 8) }, 12), /describes/],
    [
      "a name given twice",
      fileOf(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ),
      /gap/,
    ],
    ["a shape beyond all numbers", fileOf({ a: entry(0, 8, { shape: [2 ** 40, 2 ** 40] }) }, 8), /in place of/],
  ])("%s", async (_, file, message) => {
    const error = await read(file).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelBundleError);
    expect(error).toMatchObject({ code: "model-unavailable", message: expect.stringMatching(message) });
  });

  test("every file that was cut short", async () => {
    const file = fileOf({ a: entry(0, 8), b: entry(8, 16) }, 16);
    for (let length = 0; length < file.length; length++)
      await expect(read(file.subarray(0, length))).rejects.toThrow(ModelBundleError);
  });
});
