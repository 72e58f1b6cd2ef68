import fc from "fast-check";
import { expect, test } from "vitest";
import { readPyTorchCheckpoint } from "#models/boltzformer/weights/pytorch-checkpoint.ts";
import { readSafetensorsWeights } from "#models/boltzformer/weights/safetensors.ts";
import { ModelBundleError } from "#models/index.ts";
import { byteSource } from "../fixtures/byte-source.ts";
import { pickledCheckpoint, pickledTensor, zipOf } from "../fixtures/torch-checkpoint.ts";

const contiguous = fc
  .array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 })
  .chain((shape) => fc.record({ shape: fc.constant(shape), start: fc.nat(9), spare: fc.nat(9) }));

test("a contiguous view of a storage is where it says, whatever lies before and behind it", async () => {
  await fc.assert(
    fc.asyncProperty(contiguous, fc.nat(70), fc.boolean(), async ({ shape, start, spare }, padding, zip64) => {
      const values = shape.reduce((product, length) => product * length, 1);
      const count = start + values + spare;
      const data = Buffer.from(Float32Array.from({ length: count }, (_, n) => n).buffer);
      const pickle = pickledCheckpoint({ "model.w": pickledTensor({ count, start, shape }) });
      const parts = [
        { name: "r/data.pkl", data: pickle, padding },
        { name: "r/data/0", data, padding },
      ];
      const zip = zipOf(parts, { zip64 });
      const tensor = (await readPyTorchCheckpoint(byteSource(zip))).get("w")!;
      expect(tensor.shape).toEqual(shape);
      for (let n = 0; n < values; n++) expect(zip.readFloatLE(tensor.offset + 4 * n)).toBe(start + n);
    }),
  );
});

test("a safetensors file whose bytes were changed is read, or refused by name, and never points beyond its end", async () => {
  const header = {
    a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    b: { dtype: "F32", shape: [1, 3], data_offsets: [8, 20] },
  };
  const text = JSON.stringify(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = Buffer.concat([length, Buffer.from(text), Buffer.alloc(20)]);
  const change = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(file.length), async (changes, cut) => {
      const bytes = Buffer.from(file.subarray(0, file.length - (cut % 3 === 0 ? cut : 0)));
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const result = await readSafetensorsWeights(byteSource(bytes)).catch((error: unknown) => error);
      if (!(result instanceof Map)) expect(result).toBeInstanceOf(ModelBundleError);
      else
        for (const { offset, shape } of result.values())
          expect(offset + shape.reduce((all: number, n: number) => all * n, 4)).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 500 },
  );
});
