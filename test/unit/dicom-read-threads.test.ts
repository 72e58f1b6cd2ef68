import { beforeAll, describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { axial, ctElements } from "../fixtures/ct-slices.ts";
import { encapsulated, part10 } from "../fixtures/dicom-file.ts";
import { openEncoder } from "../fixtures/image-encoders.ts";

const side = 512;
const JPEG_2000 = "1.2.840.10008.1.2.4.90";

/** As many slices as are worth threads; three pictures in turns. */
const slices = 12;
let pictures: readonly Uint8Array[] = [];

beforeAll(async () => {
  const encode = await openEncoder("jpeg2000");
  pictures = [5, 7, 11].map((step) => {
    const words = Uint16Array.from({ length: side * side }, (_, n) => ((n * step) >> 7) & 4095);
    const samples = new Uint8Array(words.buffer);
    return encode({ width: side, height: side, bitsPerSample: 12, signed: false, samples });
  });
}, 60_000);

function series(damaged = -1): Uint8Array[] {
  return Array.from({ length: slices }, (_, k) => {
    const picture = pictures[k % 3]!;
    const frame = k === damaged ? picture.slice(0, picture.length >> 1) : picture;
    const elements = ctElements(k, axial, { Rows: side, Columns: side, PixelData: undefined });
    return part10(elements, JPEG_2000, false, encapsulated([frame]));
  });
}

describe("decoding in threads", { timeout: 60_000 }, () => {
  test("gives the volume that one thread gives", async () => {
    const inThreads = await decodeSeries(series(), { threads: 3 });
    expect(inThreads).toEqual(await decodeSeries(series(), { threads: 0 }));
    expect(inThreads.volume.voxels.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test("names the instance whose pixels are damaged", async () => {
    await expect(decodeSeries(series(7), { threads: 2 })).rejects.toMatchObject({
      reason: "corrupt-pixel-data",
      details: { instance: 8, instances: slices },
    });
  });

  test("stops when it is aborted", async () => {
    const reason = new Error("cancelled");
    const controller = new AbortController();
    const decoding = decodeSeries(series(), { threads: 2, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 60);
    await expect(decoding).rejects.toBe(reason);
  });
});
