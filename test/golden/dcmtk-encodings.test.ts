import { expect, test } from "vitest";
import { decodeSeries, readPart10 } from "#converters/dicom/index.ts";
import { axial, type Changes, ctSlice } from "../fixtures/ct-slices.ts";
import { byDcmtk } from "../fixtures/dcmtk-encodings.ts";
import { describeWithDcmtk } from "../fixtures/dicom-tools.ts";

const [width, height] = [61, 47];

/** Waves with noise on them, from `least` to `most`. */
function samples(least: number, most: number, k: number): readonly number[] {
  let noise = k + 1;
  return Array.from({ length: width * height }, (_, n) => {
    noise = (Math.imul(noise, 1664525) + 1013904223) | 0;
    const wave = (Math.sin(n / 97 + k) + Math.cos((n % width) / 9)) / 4 + 0.5;
    const part = Math.min(1, Math.max(0, wave + (noise >>> 28) / 100 - 0.08));
    return n === 0 ? least : n === width * height - 1 ? most : Math.round(least + part * (most - least));
  });
}

interface Layout {
  readonly bitsAllocated: 8 | 16;
  readonly bitsStored: number;
  readonly signed: boolean;
}

function series({ bitsAllocated, bitsStored, signed }: Layout): readonly Uint8Array[] {
  const [least, most] = signed ? [-(2 ** (bitsStored - 1)), 2 ** (bitsStored - 1) - 1] : [0, 2 ** bitsStored - 1];
  return [0, 1, 2].map((k) => {
    const values = samples(least, most, k);
    const pixels = bitsAllocated === 8 ? Uint8Array.from([...values, 0]) : Uint16Array.from(values);
    const changes: Changes = {
      Columns: width,
      Rows: height,
      BitsAllocated: bitsAllocated,
      BitsStored: bitsStored,
      HighBit: bitsStored - 1,
      PixelRepresentation: signed ? 1 : 0,
      RescaleIntercept: "0",
      PixelData: new Uint8Array(pixels.buffer),
    };
    return ctSlice(k, axial, changes);
  });
}

/** One slice is enough: the instances of a series may be encoded in different ways. */
function firstOf([first, ...others]: readonly Uint8Array[], change: (file: Uint8Array) => Uint8Array): Uint8Array[] {
  return [change(first!), ...others];
}

const LAYOUTS: readonly (readonly [string, Layout])[] = [
  ["12 bits", { bitsAllocated: 16, bitsStored: 12, signed: false }],
  ["16 bits", { bitsAllocated: 16, bitsStored: 16, signed: false }],
  ["16 signed bits", { bitsAllocated: 16, bitsStored: 16, signed: true }],
  ["8 bits", { bitsAllocated: 8, bitsStored: 8, signed: false }],
];

const LOSSLESS: readonly (readonly [program: string, options: readonly string[], transferSyntax: string])[] = [
  ["dcmcrle", [], "1.2.840.10008.1.2.5"],
  ["dcmcjpeg", ["+e1"], "1.2.840.10008.1.2.4.70"],
  ["dcmcjpeg", ["+e1", "+fs", "1"], "1.2.840.10008.1.2.4.70"],
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (predictor) => ["dcmcjpeg", ["+el", "+sv", String(predictor)], "1.2.840.10008.1.2.4.57"] as const,
  ),
  ["dcmcjpls", ["+el"], "1.2.840.10008.1.2.4.80"],
  ["dcmconv", ["+tb"], "1.2.840.10008.1.2.2"],
  ["dcmconv", ["+td"], "1.2.840.10008.1.2.1.99"],
];

const LOSSY: readonly (readonly [
  program: string,
  options: readonly string[],
  transferSyntax: string,
  decoder: string,
  layout: Layout,
])[] = [
  ["dcmcjpeg", ["+eb", "+q", "80"], "1.2.840.10008.1.2.4.50", "dcmdjpeg", LAYOUTS[3]![1]],
  ["dcmcjpeg", ["+ee", "+q", "80"], "1.2.840.10008.1.2.4.51", "dcmdjpeg", LAYOUTS[0]![1]],
  ["dcmcjpeg", ["+ee", "+q", "30"], "1.2.840.10008.1.2.4.51", "dcmdjpeg", LAYOUTS[0]![1]],
  ["dcmcjpls", ["+en", "+md", "3"], "1.2.840.10008.1.2.4.81", "dcmdjpls", LAYOUTS[0]![1]],
];

describeWithDcmtk("what dcmtk has encoded", () => {
  test.each(LAYOUTS.flatMap(([bits, layout]) => LOSSLESS.map((encoding) => [bits, layout, ...encoding] as const)))(
    "%s, %o, %s %j without loss: every voxel is what it was",
    async (_, layout, program, options, transferSyntax) => {
      const files = series(layout);
      const encoded = files.map((file) => byDcmtk(program, options, file));
      expect(readPart10(encoded[0]!).transferSyntaxUid).toBe(transferSyntax);
      expect((await decodeSeries(encoded)).volume.voxels).toEqual((await decodeSeries(files)).volume.voxels);
    },
  );

  test.each(LOSSY)(
    "%s %j with loss (%s): %s gives the same voxels",
    async (program, options, transferSyntax, decoder, layout) => {
      const encoded = firstOf(series(layout), (file) => byDcmtk(program, options, file));
      expect(readPart10(encoded[0]!).transferSyntaxUid).toBe(transferSyntax);
      const decoded = firstOf(encoded, (file) => byDcmtk(decoder, [], file));
      expect((await decodeSeries(encoded)).volume.voxels).toEqual((await decodeSeries(decoded)).volume.voxels);
    },
  );
});
