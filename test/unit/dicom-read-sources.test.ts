import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSeries, type InstanceSource, openSeries } from "#converters/dicom/index.ts";
import { dicomFilesIn } from "../../server/dicom-folder.ts";
import { writeOutputFile } from "../../server/files.ts";
import { axial, ctElements } from "../fixtures/ct-slices.ts";
import { encapsulated, part10, rawElement } from "../fixtures/dicom-file.ts";
import { encodeRle } from "../fixtures/encode-rle.ts";

const RLE = "1.2.840.10008.1.2.5";
const slices = 5;

/** A file that is asked for parts of itself; `asked` counts the bytes. */
function source(bytes: Uint8Array): InstanceSource & { asked: number } {
  return {
    asked: 0,
    length: bytes.length,
    async read(into, start) {
      this.asked += into.length;
      into.set(bytes.subarray(start, start + into.length));
    },
  };
}

function pixels(k: number): Uint8Array {
  const side = 64;
  const words = Int16Array.from({ length: side * side }, (_, n) => ((n * 37 + k * 1000) % 5000) - 1000);
  return new Uint8Array(words.buffer);
}

/** Longer than what is read of a file at first, unless without padding. */
function file(k: number, { padding = 12_000, transferSyntaxUid = "1.2.840.10008.1.2.1" } = {}): Uint8Array {
  const layout = { Rows: 64, Columns: 64, BitsAllocated: 16, BitsStored: 16, HighBit: 15, PixelRepresentation: 1 };
  const rle = transferSyntaxUid === RLE;
  const elements = [
    ...ctElements(k, axial, { ...layout, PixelData: rle ? undefined : pixels(k) }),
    rawElement(0x00291010, "OB", Uint8Array.of(k, k, 3, 4)),
    rawElement(0x00291011, "OB", new Uint8Array(padding).fill(7)),
  ];
  return part10(elements, transferSyntaxUid, false, rle ? encapsulated([encodeRle(pixels(k), 2)]) : new Uint8Array(0));
}

describe.each([
  ["native", {}],
  ["so small that they are read at once", { padding: 0 }],
  ["RLE", { transferSyntaxUid: RLE }],
  ["with a header longer than what is read first", { padding: 40_000 }],
  ["with a header longer than what is read at all", { padding: 300_000 }],
  ["in big endian, which is read whole", { transferSyntaxUid: "1.2.840.10008.1.2.2" }],
  ["in implicit VR", { transferSyntaxUid: "1.2.840.10008.1.2" }],
] as const)("a series of files, %s", (_, how) => {
  const files = [3, 0, 4, 1, 2].map((k) => file(k, how));

  test("gives what the bytes give", async () => {
    expect(await (await openSeries(files.map(source))).decode()).toEqual(await decodeSeries(files));
  });

  test("gives the same slice by slice, and the same notes", async () => {
    const { volume, notes } = await decodeSeries(files);
    const voxels = new Int16Array(volume.voxels.length);
    const series = await openSeries(files.map(source));
    const said = await series.decodeSlices!((k, values) => voxels.set(values, k * values.length));
    expect(voxels).toEqual(volume.voxels);
    expect(said).toEqual(notes);
    expect(series.volume).toEqual({ ...volume, voxels: undefined });
  });
});

test("pixels are not read for the header's sake", async () => {
  const files = Array.from({ length: slices }, (_, k) => source(file(k, {})));
  await openSeries(files);
  for (const { asked, length } of files) expect(asked).toBeLessThanOrEqual(Math.min(length, 16 * 1024));
});

test("slices come again as floats where one does not fit 16 bits", async () => {
  const files = Array.from({ length: slices }, (_, k) =>
    part10(ctElements(k, axial, { RescaleIntercept: k === 3 ? 40_000 : 0, RescaleSlope: 1 })),
  );
  const { volume } = await decodeSeries(files);
  const kinds = new Map<number, string>();
  const voxels = new Float32Array(volume.voxels.length);
  await (await openSeries(files.map(source))).decodeSlices!((k, values) => {
    kinds.set(k, values.constructor.name);
    voxels.set(values, k * values.length);
  });
  expect(new Set(kinds.values())).toEqual(new Set(["Float32Array"]));
  expect(voxels).toEqual(volume.voxels);
});

test("a file cut short within its fragments is named", async () => {
  const files = Array.from({ length: slices }, (_, k) => file(k, { transferSyntaxUid: RLE }));
  files[2] = files[2]!.slice(0, -40);
  const series = await openSeries(files.map(source));
  await expect(series.decode()).rejects.toMatchObject({
    reason: "unreadable-instance",
    details: { instance: 3, instances: slices },
  });
});

describe("in a folder", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-sources-"));
    await writeFile(join(folder, "README"), "no DICOM");
    for (let k = 0; k < slices; k++) await writeFile(join(folder, `${k}.dcm`), file(k));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("every DICOM file is read, and nothing else", async () => {
    const series = await openSeries(dicomFilesIn(folder));
    expect(series.volume.sources).toHaveLength(slices);
    expect(await series.decode()).toEqual(await decodeSeries(Array.from({ length: slices }, (_, k) => file(k))));
  });

  test("a file that changed between header and pixels is refused", async () => {
    const series = await openSeries(dicomFilesIn(folder));
    await writeFile(join(folder, "2.dcm"), file(2, { padding: 13_000 }));
    await expect(series.decode()).rejects.toMatchObject({ code: "invalid-request" });
    await writeFile(join(folder, "2.dcm"), file(2));
  });

  test("an output is complete or not there", async () => {
    const path = join(folder, "out/volume.nii");
    await expect(
      writeOutputFile(path, async (put) => {
        put(Uint8Array.of(1), 3);
        throw new RangeError("half-way");
      }),
    ).rejects.toThrow("half-way");
    expect(await readdir(join(folder, "out"))).toEqual([]);
    await writeOutputFile(path, async (put) => {
      put(Uint8Array.of(3, 4), 2);
      put(Uint8Array.of(1, 2), 0);
    });
    expect([...(await readFile(path))]).toEqual([1, 2, 3, 4]);
    await expect(writeOutputFile(folder, async () => {})).rejects.toMatchObject({ code: "invalid-request" });
  });
});
