import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readPyTorchCheckpoint } from "#models/boltzformer/weights/pytorch-checkpoint.ts";
import { openWeights } from "#models/boltzformer/weights/weights-file.ts";
import { ModelBundleError } from "#models/index.ts";
import { byteSource } from "../fixtures/byte-source.ts";
import {
  directoryEntry,
  endOfZip,
  localHeader,
  type Pickled,
  pickled,
  pickledCheckpoint,
  pickledTensor,
  type TensorDescription,
  type ZipPart,
  zipOf,
} from "../fixtures/torch-checkpoint.ts";

const storage = (count: number, first = 0) =>
  Buffer.from(Float32Array.from({ length: count }, (_, n) => first + n).buffer);

const parts = (pickle: Buffer, ...storages: readonly Buffer[]): ZipPart[] => [
  { name: "any/data.pkl", data: pickle, padding: 21 },
  { name: "any/byteorder", data: Buffer.from("little") },
  ...storages.map((data, n) => ({ name: `any/data/${n}`, data, padding: 7 * n + 1 })),
];

const read = (zip: Buffer) => readPyTorchCheckpoint(byteSource(zip));
const one = (tensor: TensorDescription) => pickledCheckpoint({ "model.w": pickledTensor(tensor) });
const oneTensor = { count: 6, shape: [2, 3] };

function valuesAt(zip: Buffer, offset: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => zip.readFloatLE(offset + 4 * n));
}

describe("the table of contents of a PyTorch zip", () => {
  test.each([{ zip64: false }, { zip64: true }, { comment: "PK\u0005\u0006 in a comment" }])(
    "leads to the values, whatever the local headers are padded with: %o",
    async (options) => {
      const pickle = pickledCheckpoint({
        "model.a": pickledTensor({ count: 6, shape: [2, 3], storage: "0" }),
        "model.b": pickledTensor({ count: 4, shape: [4], storage: "1" }),
      });
      const zip = zipOf(parts(pickle, storage(6), storage(4, 100)), options);
      const tensors = await read(zip);
      expect(tensors.get("a")?.shape).toEqual([2, 3]);
      expect(valuesAt(zip, tensors.get("a")!.offset, 6)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(valuesAt(zip, tensors.get("b")!.offset, 4)).toEqual([100, 101, 102, 103]);
    },
  );

  test("tensors may share a storage, each at its own place", async () => {
    const pickle = pickledCheckpoint({
      "model.first": pickledTensor({ count: 10, shape: [4] }),
      "model.last": pickledTensor({ count: 10, start: 4, shape: [2, 3] }),
      "model.same": pickledTensor({ count: 10, start: 4, shape: [6] }),
    });
    const zip = zipOf(parts(pickle, storage(10)));
    const tensors = await read(zip);
    expect(valuesAt(zip, tensors.get("last")!.offset, 6)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(tensors.get("same")!.offset).toBe(tensors.get("last")!.offset);
  });

  test("a parameter is its tensor; training's tensors and prefix are left out, and a bare state dict will do", async () => {
    const tensor = pickledTensor({ ...oneTensor });
    const parameter = pickled.call(pickled.global("torch._utils", "_rebuild_parameter"), tensor, pickled.none);
    const lightning = pickledCheckpoint({ "model.w": parameter, "loss_function.pos_weight": tensor });
    expect([...(await read(zipOf(parts(lightning, storage(6))))).keys()]).toEqual(["w"]);
    const bare = pickled.file(pickled.dict([[pickled.text("w"), tensor]]));
    expect([...(await read(zipOf(parts(bare, storage(6))))).keys()]).toEqual(["w"]);
  });

  test("strides of dimensions of length 1 mean nothing, and a scalar has none", async () => {
    const pickle = pickledCheckpoint({
      "model.w": pickledTensor({ count: 3, shape: [1, 3, 1, 1], strides: [99, 1, 7, 7] }),
      "model.scalar": pickledTensor({ count: 3, shape: [] }),
    });
    expect((await read(zipOf(parts(pickle, storage(3))))).size).toBe(2);
  });
});

describe("a checkpoint that cannot be used ends in a named error", () => {
  const good = parts(one(oneTensor), storage(6));
  const cases: readonly (readonly [claim: string, zip: Buffer, message: RegExp])[] = [
    [
      "values of another type",
      zipOf(parts(one({ ...oneTensor, storageType: "HalfStorage" }), storage(6))),
      /HalfStorage/,
    ],
    ["a transposed view", zipOf(parts(one({ ...oneTensor, strides: [1, 2] }), storage(6))), /not contiguous/],
    ["a view with overlaps", zipOf(parts(one({ ...oneTensor, strides: [0, 1] }), storage(6))), /not contiguous/],
    ["a tensor larger than its storage", zipOf(parts(one({ ...oneTensor, start: 1 }), storage(6))), /larger/],
    ["a tensor beyond all numbers", zipOf(parts(one({ count: 6, shape: [2 ** 31, 2 ** 31] }), storage(6))), /larger/],
    ["a negative size", zipOf(parts(one({ count: 6, shape: [-2, -3] }), storage(6))), /no tensor/],
    ["a storage of another size", zipOf(parts(one(oneTensor), storage(5))), /20 bytes .* 24/],
    ["a storage that is missing", zipOf(parts(one(oneTensor))), /lacks the values/],
    ["a compressed storage", zipOf(good.map((part) => ({ ...part, method: 8 }))), /compressed/],
    ["an encrypted zip", zipOf(good.map((part) => ({ ...part, flags: 1 }))), /encrypted/],
    ["two entries of one name", zipOf([...good, ...good]), /two zip entries/],
    ["no data.pkl", zipOf(good.slice(1)), /no data\.pkl/],
    [
      "a big-endian machine's",
      zipOf(good.map((p) => (p.name.endsWith("order") ? { ...p, data: Buffer.from("big") } : p))),
      /big-endian/,
    ],
    ["no state dict", zipOf(parts(pickled.file(pickled.text("nothing")), storage(6))), /no state dict/],
    [
      "something else under a tensor's name",
      zipOf(parts(pickledCheckpoint({ "model.w": pickled.none }), storage(6))),
      /no tensor/,
    ],
    [
      "a name beside the model's",
      zipOf(parts(pickledCheckpoint({ "model.w": pickledTensor(oneTensor), x: pickledTensor(oneTensor) }), storage(6))),
      /unknown tensor "x"/,
    ],
    [
      "a call of its own in a tensor's place",
      zipOf(
        parts(
          pickledCheckpoint({ "model.w": pickled.call(pickled.global("os", "system"), pickled.text("true")) }),
          storage(6),
        ),
      ),
      /no tensor/,
    ],
  ];

  test.each(cases)("%s", async (_, zip, message) => {
    const error = await read(zip).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelBundleError);
    expect(error).toMatchObject({
      code: "model-unavailable",
      file: "weights.ckpt",
      message: expect.stringMatching(message),
    });
  });

  test("every file that was cut short", async () => {
    const zip = zipOf(good, { zip64: true });
    for (let length = 0; length < zip.length; length++)
      await expect(read(zip.subarray(0, length))).rejects.toThrow(ModelBundleError);
  });

  test("a state dict that holds itself", async () => {
    const state: Pickled = Buffer.concat([Buffer.from("}q\u0005("), pickled.text("model.w"), Buffer.from("h\u0005u")]);
    const pickle = pickled.file(pickled.dict([[pickled.text("state_dict"), state]]));
    await expect(read(zipOf(parts(pickle, storage(6))))).rejects.toThrow(/no tensor/);
  });
});

test("values beyond 4 GiB are found: a sparse file of five", async () => {
  const folder = await mkdtemp(join(tmpdir(), "zip64-"));
  const path = join(folder, "large.ckpt");
  const far = 5 * 2 ** 30;
  const [pickle, ...rest] = parts(one({ count: 6, shape: [6] }), storage(6, 7)) as [ZipPart, ...ZipPart[]];
  const file = await open(path, "w");
  const place = async (part: ZipPart, offset: number) => {
    await file.write(Buffer.concat([localHeader(part), part.data]), 0, null, offset);
    return directoryEntry(part, offset, true);
  };
  const entries = [await place(pickle, 0)];
  for (const [n, part] of rest.entries()) entries.push(await place(part, far + 1000 * n));
  const end = far + 1000 * rest.length;
  await file.write(endOfZip(entries, end, true), 0, null, end);
  await file.close();
  const { tensors, bytes } = await openWeights(path);
  const { offset } = tensors.get("w")!;
  expect(bytes).toBeGreaterThan(far);
  expect(offset).toBeGreaterThan(far);
  await using values = await open(path);
  const { buffer } = await values.read(Buffer.alloc(24), 0, 24, offset);
  expect([...new Float32Array(buffer.buffer, buffer.byteOffset, 6)]).toEqual([7, 8, 9, 10, 11, 12]);
  await rm(folder, { recursive: true });
});
