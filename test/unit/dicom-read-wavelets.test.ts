import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { axial, ctElements } from "../fixtures/ct-slices.ts";
import { encapsulated, part10 } from "../fixtures/dicom-file.ts";
import { openEncoder } from "../fixtures/image-encoders.ts";

const side = 64;
type Configure = Parameters<Awaited<ReturnType<typeof openEncoder>>>[1];

/** Waves of 12 bits. */
function picture(k: number): Uint16Array {
  return Uint16Array.from({ length: side * side }, (_, n) =>
    Math.round(2048 + 1500 * Math.sin(n / 300 + k) * Math.cos((n % side) / 11)),
  );
}

async function series(name: "jpeg2000" | "htj2k", transferSyntaxUid: string, configure: Configure) {
  const encode = await openEncoder(name);
  return Array.from({ length: axial.slices }, (_, k) => {
    const samples = new Uint8Array(picture(k).buffer);
    const frame = encode({ width: side, height: side, bitsPerSample: 12, signed: false, samples }, configure);
    const even = frame.length % 2 === 0 ? frame : Uint8Array.from([...frame, 0]);
    const elements = ctElements(k, axial, { Rows: side, Columns: side, RescaleIntercept: "0", PixelData: undefined });
    return part10(elements, transferSyntaxUid, false, encapsulated([even]));
  });
}

const original = Array.from({ length: axial.slices }, (_, k) => [...picture(k)]).flat();

/** Progression by resolution, position, component and layer (ISO/IEC 15444-1 table A.16). */
const RPCL = 2;

describe("wavelet transfer syntaxes", () => {
  test.each<[string, "jpeg2000" | "htj2k", string, Configure]>([
    ["JPEG 2000 Lossless", "jpeg2000", "1.2.840.10008.1.2.4.90", undefined],
    ["JPEG 2000 without loss", "jpeg2000", "1.2.840.10008.1.2.4.91", undefined],
    ["HTJ2K Lossless", "htj2k", "1.2.840.10008.1.2.4.201", undefined],
    ["HTJ2K Lossless RPCL", "htj2k", "1.2.840.10008.1.2.4.202", (encoder) => encoder.setProgressionOrder?.(RPCL)],
    ["HTJ2K without loss", "htj2k", "1.2.840.10008.1.2.4.203", undefined],
  ])("%s gives every voxel back", async (_, name, transferSyntaxUid, configure) => {
    const { volume } = await decodeSeries(await series(name, transferSyntaxUid, configure));
    expect([...volume.voxels]).toEqual(original);
  });

  test.each<[string, "jpeg2000" | "htj2k", string, Configure]>([
    ["JPEG 2000", "jpeg2000", "1.2.840.10008.1.2.4.91", (encoder) => encoder.setQuality?.(false, 0)],
    ["HTJ2K", "htj2k", "1.2.840.10008.1.2.4.203", (encoder) => encoder.setQuality?.(false, 0.002)],
  ])("%s with loss is near, and the result says that there was loss", async (_, name, transferSyntaxUid, configure) => {
    const { volume, lossyCompression } = await decodeSeries(await series(name, transferSyntaxUid, configure));
    const worst = original.reduce((most, value, n) => Math.max(most, Math.abs(value - volume.voxels[n]!)), 0);
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(60);
    expect(lossyCompression).toBeDefined();
  });
});
