import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPickle } from "#models/boltzformer/weights/pickle.ts";
import { PickleError } from "#models/boltzformer/weights/pickle-reader.ts";
import { readPyTorchCheckpoint } from "#models/boltzformer/weights/pytorch-checkpoint.ts";
import { ModelBundleError } from "#models/index.ts";
import { byteSource } from "../fixtures/byte-source.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

/** Changes of single bytes, cuts, and pieces put somewhere else. */
const damage = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("set" as const), at: fc.nat(), value: fc.nat(255) }),
    fc.record({ kind: fc.constant("cut" as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
    fc.record({
      kind: fc.constant("copy" as const),
      at: fc.nat(),
      from: fc.nat(),
      length: fc.integer({ min: 1, max: 200 }),
    }),
  ),
  { minLength: 1, maxLength: 8 },
);

function damaged(bytes: Buffer, changes: typeof damage extends fc.Arbitrary<infer T> ? T : never): Buffer {
  return changes.reduce((all, change) => {
    const at = change.at % all.length;
    if (change.kind === "set") {
      const copy = Buffer.from(all);
      copy[at] = change.value;
      return copy;
    }
    if (change.kind === "cut") return Buffer.concat([all.subarray(0, at), all.subarray(at + change.length)]);
    const from = change.from % all.length;
    return Buffer.concat([all.subarray(0, at), all.subarray(from, from + change.length), all.subarray(at)]);
  }, bytes);
}

test("any bytes are a pickle or a PickleError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readPickle(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PickleError);
      }
    }),
    { numRuns: 5000 },
  );
});

describeWithData("a real checkpoint that was damaged", () => {
  const checkpoint = readFileSync(dataPath("boltzformer_golden", "small.ckpt"));
  const name = Buffer.from("small/data.pkl");
  const local = checkpoint.indexOf(name) - 30;
  const start = local + 30 + checkpoint.readUInt16LE(local + 26) + checkpoint.readUInt16LE(local + 28);
  const end = checkpoint.indexOf(Buffer.from("PK\u0003\u0004"), start);
  const pickle = checkpoint.subarray(start, checkpoint.lastIndexOf(".", end) + 1);

  test("in its pickle still ends, in a description or a PickleError", () => {
    expect(() => readPickle(pickle)).not.toThrow();
    fc.assert(
      fc.property(damage, (changes) => {
        try {
          readPickle(damaged(pickle, changes));
        } catch (error) {
          expect(error).toBeInstanceOf(PickleError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("anywhere in its tables is read inside its own bounds, or refused by name", async () => {
    const tail = checkpoint.length - 60_000;
    const places = fc.oneof(
      fc.integer({ min: local, max: end }),
      fc.integer({ min: tail, max: checkpoint.length - 1 }),
    );
    const bytes = Buffer.from(checkpoint);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(places, fc.nat(255)), { minLength: 1, maxLength: 5 }), async (changes) => {
        const before = changes.map(([at]) => [at, checkpoint[at]!] as const);
        for (const [at, value] of changes) bytes[at] = value;
        const result = await readPyTorchCheckpoint(byteSource(bytes)).catch((error: unknown) => error);
        for (const [at, value] of before) bytes[at] = value;
        if (!(result instanceof Map)) expect(result).toBeInstanceOf(ModelBundleError);
        else
          for (const { offset, shape } of result.values())
            expect(offset + shape.reduce((all: number, n: number) => all * n, 4)).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 200 },
    );
  });
});
