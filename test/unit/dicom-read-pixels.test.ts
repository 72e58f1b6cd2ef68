import { describe, expect, test } from "vitest";
import { encodedFrames } from "#converters/dicom/encoded-frames.ts";
import { CorruptFrameError } from "#converters/dicom/frame-codec.ts";
import { jpeg2000Size } from "#converters/dicom/jpeg2000-size.ts";
import { type SliceLayout, storeValues } from "#converters/dicom/store-values.ts";

function layout(pixel: Partial<SliceLayout["pixel"]> = {}, slope = 1, intercept = 0): SliceLayout {
  return {
    pixel: {
      SamplesPerPixel: 1,
      PhotometricInterpretation: "MONOCHROME2",
      Rows: 1,
      Columns: 4,
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      PixelPaddingValue: undefined,
      PixelPaddingRangeLimit: undefined,
      ...pixel,
    },
    plane: {
      rows: 1,
      columns: 4,
      rowDirection: [1, 0, 0],
      columnDirection: [0, 1, 0],
      normal: [0, 0, 1],
      betweenRows: 1,
      betweenColumns: 1,
      positionLps: [0, 0, 0],
    },
    rescale: {
      RescaleSlope: slope,
      RescaleIntercept: intercept,
      RescaleType: undefined,
    },
  };
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer);
}

function integers(samples: Uint8Array, slice: SliceLayout): Int16Array {
  const out = new Int16Array(slice.plane.rows * slice.plane.columns);
  expect(storeValues(samples, slice, out, 0)).toBe(true);
  return out;
}

function floats(samples: Uint8Array, slice: SliceLayout): Float32Array {
  const out = new Float32Array(slice.plane.rows * slice.plane.columns);
  expect(storeValues(samples, slice, out, 0)).toBe(true);
  return out;
}

describe("stored values", () => {
  test("bits above Bits Stored do not count", () => {
    const dirty = words(0xf001, 0x0fff, 0x8800, 0);
    expect(integers(dirty, layout())).toEqual(Int16Array.of(1, 4095, 0x800, 0));
    expect(floats(dirty, layout())).toEqual(Float32Array.of(1, 4095, 0x800, 0));
  });

  test("a signed value is extended from its top bit, whatever lies above it", () => {
    const signed = layout({ PixelRepresentation: 1 });
    expect(integers(words(0x0fff, 0xf800, 0x07ff, 0xf000), signed)).toEqual(Int16Array.of(-1, -2048, 2047, 0));
  });

  test("values may stand in the high bits of their words", () => {
    expect(integers(words(0x0010, 0xfff0, 0x800f, 0xf), layout({ HighBit: 15 }))).toEqual(
      Int16Array.of(1, 4095, 0x800, 0),
    );
  });

  test("8 and 32 bits, signed and not", () => {
    const bytes = Uint8Array.of(0xff, 0x80, 0x7f, 0);
    const eight = { BitsAllocated: 8, BitsStored: 8, HighBit: 7 };
    expect(integers(bytes, layout(eight))).toEqual(Int16Array.of(255, 128, 127, 0));
    expect(integers(bytes, layout({ ...eight, PixelRepresentation: 1 }))).toEqual(Int16Array.of(-1, -128, 127, 0));
    const four = { BitsAllocated: 32, BitsStored: 32, HighBit: 31 };
    const wide = new Uint8Array(Uint32Array.of(0xfffffffe, 1, 2, 3).buffer);
    expect(floats(wide, layout(four))).toEqual(Float32Array.of(0xfffffffe, 1, 2, 3));
    expect(integers(wide, layout({ ...four, PixelRepresentation: 1 }))).toEqual(Int16Array.of(-2, 1, 2, 3));
  });

  test("words are read wherever they lie in the file", () => {
    const file = Uint8Array.from([0, ...words(1, 2, 3, 4)]);
    expect(integers(file.subarray(1), layout())).toEqual(Int16Array.of(1, 2, 3, 4));
  });

  test("a tile is cut out of its mosaic", () => {
    const mosaic = layout({ Rows: 4, Columns: 4 });
    const tile = { ...mosaic, plane: { ...mosaic.plane, rows: 2, columns: 2 }, tile: [2, 1] as const };
    expect(integers(words(...Array(16).keys()), tile)).toEqual(Int16Array.of(6, 7, 10, 11));
  });
});

describe("real values", () => {
  test("are slope times stored plus intercept", () => {
    expect(integers(words(0, 4095, 1, 2), layout({}, 1, -1024))).toEqual(Int16Array.of(-1024, 3071, -1023, -1022));
    expect(integers(words(0, 3, 1, 2), layout({}, 3, 1))).toEqual(Int16Array.of(1, 10, 4, 7));
    expect(floats(words(0, 3, 1, 2), layout({}, 0.5, 1))).toEqual(Float32Array.of(1, 2.5, 1.5, 2));
  });

  test.each([
    ["one is larger", words(0, 0, 0, 40000), layout({ BitsStored: 16, HighBit: 15 })],
    ["one is smaller", words(0, 0, 0x8000, 0), layout({ BitsStored: 16, HighBit: 15, PixelRepresentation: 1 }, 1, -1)],
    ["a slope makes one larger", words(0, 0, 4000, 0), layout({}, 10)],
    ["the slope is not whole", words(0, 0, 0, 0), layout({}, 0.5)],
  ])("do not fit 16-bit integers where %s", (_, samples, slice) => {
    expect(storeValues(samples, slice, new Int16Array(4), 0)).toBe(false);
  });
});

describe("the frames of pixel data", () => {
  const [a, b, c, d] = [words(1), words(2, 3), words(4), words(5)];
  const soi = (byte: number) => Uint8Array.of(0xff, 0xd8, 0xff, byte);
  const table = (...offsets: bigint[]) => new Uint8Array(BigUint64Array.from(offsets).buffer);

  test("of uncompressed images follow each other; what is behind them is padding", () => {
    const value = Uint8Array.from([...words(1, 2, 3, 4), 0]);
    expect(encodedFrames({ vr: "OW", value }, 2, 4)).toEqual([[words(1, 2)], [words(3, 4)]]);
    expect(() => encodedFrames({ vr: "OW", value }, 2, 6)).toThrow("9 bytes where its size asks for 12");
  });

  test("of one frame are all fragments, whatever the offset table says", () => {
    expect(encodedFrames({ fragments: [a, b], offsetTable: [0, 77] }, 1, 0)).toEqual([[a, b]]);
  });

  test("as many as fragments are one each, whatever the offset table says", () => {
    expect(encodedFrames({ fragments: [a, b], offsetTable: [0, 77] }, 2, 0)).toEqual([[a], [b]]);
  });

  test("of several fragments are told apart by the offset table, or the extended one", () => {
    const fragments = [a, b, c, d];
    const expected = [
      [a, b],
      [c, d],
    ];
    expect(encodedFrames({ fragments, offsetTable: [0, 22] }, 2, 0)).toEqual(expected);
    expect(encodedFrames({ fragments, offsetTable: [] }, 2, 0, table(0n, 22n))).toEqual(expected);
  });

  test("are told apart by the start of an image where the tables are wrong", () => {
    const fragments = [soi(0xf7), a, soi(0xc3), b];
    for (const offsetTable of [[], [0], [0, 5], [22, 0]]) {
      expect(encodedFrames({ fragments, offsetTable }, 2, 0)).toEqual([fragments.slice(0, 2), fragments.slice(2)]);
    }
  });

  test("that nothing tells apart are damage", () => {
    expect(() => encodedFrames({ fragments: [a, b, c], offsetTable: [0, 5] }, 2, 0)).toThrow(CorruptFrameError);
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
    view.setUint16(43, 0x0101);
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
      start: 0,
    });
  });

  test("inside a JP2 file too", () => {
    const jp2 = Uint8Array.from([0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20, 0x0d, 0x0a, 0x87, 0x0a, ...siz(8, 8, 0, 8, 7)]);
    expect(jpeg2000Size(jp2)).toMatchObject({ width: 8, height: 8, bitsPerSample: 8, signed: false });
  });

  test("one that is subsampled is damage", () => {
    expect(() => jpeg2000Size(siz(8, 8, 0, 8, 7).with(44, 2))).toThrow(CorruptFrameError);
  });

  test("other bytes are damage", () => {
    expect(() => jpeg2000Size(new Uint8Array(100))).toThrow(CorruptFrameError);
    expect(() => jpeg2000Size(siz(8, 8, 0, 8, 7).subarray(0, 30))).toThrow(CorruptFrameError);
  });
});
