import { describe, expect, test } from "vitest";
import { decodePixels } from "#converters/dicom/decode-pixels.ts";
import { CorruptFrameError } from "#converters/dicom/frame-codec.ts";
import { jpeg2000Size } from "#converters/dicom/jpeg2000-size.ts";
import { rescaleSlices } from "#converters/dicom/rescale.ts";

const native = (frame: Uint8Array) => frame;

function layout(changes: Partial<Parameters<typeof decodePixels>[1]> = {}) {
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    Rows: 1,
    Columns: 4,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    ...changes,
  };
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer);
}

describe("stored values", () => {
  test("bits above Bits Stored do not count", () => {
    const pixels = decodePixels({ vr: "OW", value: words(0xf001, 0x0fff, 0x8800, 0) }, layout(), native);
    expect(pixels).toEqual({ values: Uint16Array.of(1, 4095, 0x800, 0), smallest: 0, largest: 4095 });
  });

  test("a signed value is extended from its top bit, whatever lies above it", () => {
    const signed = layout({ PixelRepresentation: 1 });
    const pixels = decodePixels({ vr: "OW", value: words(0x0fff, 0xf800, 0x07ff, 0xf000) }, signed, native);
    expect(pixels).toEqual({ values: Int16Array.of(-1, -2048, 2047, 0), smallest: -2048, largest: 2047 });
  });

  test("values may stand in the high bits of their words", () => {
    const high = layout({ HighBit: 15 });
    expect(decodePixels({ vr: "OW", value: words(0x0010, 0xfff0, 0x800f, 0xf) }, high, native).values).toEqual(
      Uint16Array.of(1, 4095, 0x800, 0),
    );
  });

  test("8 and 32 bits, signed and not", () => {
    const bytes = Uint8Array.of(0xff, 0x80, 0x7f, 0);
    const eight = { BitsAllocated: 8, BitsStored: 8, HighBit: 7 };
    expect(decodePixels({ vr: "OB", value: bytes }, layout(eight), native).values).toEqual(bytes);
    expect(
      decodePixels({ vr: "OB", value: bytes }, layout({ ...eight, PixelRepresentation: 1 }), native).values,
    ).toEqual(Int8Array.of(-1, -128, 127, 0));
    const four = { BitsAllocated: 32, BitsStored: 32, HighBit: 31, Columns: 1 };
    const word = Uint8Array.of(0xfe, 0xff, 0xff, 0xff);
    expect(decodePixels({ vr: "OW", value: word }, layout(four), native).values).toEqual(Uint32Array.of(0xfffffffe));
    expect(decodePixels({ vr: "OW", value: word }, layout({ ...four, PixelRepresentation: 1 }), native).values).toEqual(
      Int32Array.of(-2),
    );
  });

  test("words are read wherever they lie in the file", () => {
    const file = Uint8Array.from([0, ...words(1, 2, 3, 4)]);
    expect(decodePixels({ vr: "OW", value: file.subarray(1) }, layout(), native).values).toEqual(
      Uint16Array.of(1, 2, 3, 4),
    );
  });

  test("pixel data that is too short is damaged; a padding byte is not", () => {
    expect(() => decodePixels({ vr: "OW", value: words(1, 2, 3) }, layout(), native)).toThrow(CorruptFrameError);
    const padded = { vr: "OW" as const, value: Uint8Array.from([...words(1, 2, 3, 4), 0, 0]) };
    expect(decodePixels(padded, layout(), native).values).toHaveLength(4);
  });

  test("the fragments of a frame are put together before they are decoded", () => {
    const fragments = [words(1, 2), words(3, 4)];
    expect(decodePixels({ fragments, offsetTable: [] }, layout(), native).values).toEqual(Uint16Array.of(1, 2, 3, 4));
  });
});

describe("real values", () => {
  const slice = (values: number[], slope: number, intercept: number) => ({
    pixels: { values: Uint16Array.from(values), smallest: Math.min(...values), largest: Math.max(...values) },
    slope,
    intercept,
  });

  test("are 16-bit integers where all of them fit", () => {
    expect(rescaleSlices([slice([0, 4095], 1, -1024), slice([1, 2], 2, 0)], 2)).toEqual(
      Int16Array.of(-1024, 3071, 2, 4),
    );
  });

  test("are floats where one slope is not whole or one value does not fit", () => {
    expect(rescaleSlices([slice([0, 40000], 1, 0)], 2)).toEqual(Float32Array.of(0, 40000));
    expect(rescaleSlices([slice([1, 2], 1, 0), slice([1, 3], 0.5, 0)], 2)).toEqual(Float32Array.of(1, 2, 0.5, 1.5));
  });

  test("take slope and intercept of their own slice", () => {
    expect(rescaleSlices([slice([10], 1, 0), slice([10], 3, 1), slice([10], 1, -5)], 1)).toEqual(
      Int16Array.of(10, 31, 5),
    );
  });
});

describe("a JPEG 2000 code stream says its size before it is decoded", () => {
  const siz = (width: number, height: number, left: number, tile: number, depth: number) => {
    const bytes = new Uint8Array(49);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 0xff4fff51);
    view.setUint16(4, 41);
    [width + left, height, left, 0, tile, tile, 0, 0].forEach((value, n) => {
      view.setUint32(8 + n * 4, value);
    });
    view.setUint16(40, 1);
    view.setUint8(42, depth);
    return bytes;
  };

  test("with offset, sign and tiles", () => {
    expect(jpeg2000Size(siz(512, 256, 16, 128, 0x8b))).toEqual({
      width: 512,
      height: 256,
      components: 1,
      bitsPerSample: 12,
      signed: true,
      tiles: 10,
    });
  });

  test("inside a JP2 file too", () => {
    const jp2 = Uint8Array.from([0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20, 0x0d, 0x0a, 0x87, 0x0a, ...siz(8, 8, 0, 8, 7)]);
    expect(jpeg2000Size(jp2)).toMatchObject({ width: 8, height: 8, bitsPerSample: 8, signed: false });
  });

  test("other bytes are damage", () => {
    expect(() => jpeg2000Size(new Uint8Array(100))).toThrow(CorruptFrameError);
    expect(() => jpeg2000Size(siz(8, 8, 0, 8, 7).subarray(0, 30))).toThrow(CorruptFrameError);
  });
});
