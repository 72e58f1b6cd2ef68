import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { UnsupportedImageError } from "#converters/errors.ts";
import { fromColumns, identity, type Voxels } from "#converters/geometry/index.ts";
import { decodeNifti, isNifti, readNifti, readNiftiPair, writeNifti } from "#converters/nifti/index.ts";

const geometry = {
  size: [2, 3, 4],
  ijkToLps: fromColumns([-1.5, 0, 0], [0, -2, 0], [0, 0, 3], [10, 20, 30]),
  frameOfReferenceUid: "",
} as const;
const voxels = Int16Array.from({ length: 24 }, (_, n) => n - 5);

/** A NIfTI-1 file, altered. */
function fileWith(alter: (header: DataView, file: Uint8Array) => void, content: Voxels = voxels): Uint8Array {
  const file = writeNifti({ geometry, voxels: content });
  alter(new DataView(file.buffer), file);
  return file;
}

/** A NIfTI-2 header of 540 bytes, padded, without voxels. */
function nifti2With(alter: (header: DataView) => void): Uint8Array {
  const file = new Uint8Array(600);
  const view = new DataView(file.buffer);
  view.setInt32(0, 540, true);
  file.set(new TextEncoder().encode("n+2\0\r\n\x1a\n"), 4);
  view.setInt16(12, 4, true);
  for (const [n, length] of [3, 2, 2, 2].entries()) view.setBigInt64(16 + 8 * n, BigInt(length), true);
  for (let n = 0; n < 4; n++) view.setFloat64(104 + 8 * n, 1, true);
  view.setBigInt64(168, 544n, true);
  alter(view);
  return file;
}

function reasonFor(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof UnsupportedImageError) return error.reason;
    throw error;
  }
  return "no error";
}

describe("what a NIfTI file is", () => {
  test("NIfTI-1 and -2 are recognised, gzipped or not, by their content", () => {
    const file = writeNifti({ geometry, voxels });
    expect([file, gzipSync(file), nifti2With(() => {})].map(isNifti)).toEqual([true, true, true]);
  });

  test("nothing else is, and asking never throws", () => {
    const damaged = gzipSync(writeNifti({ geometry, voxels }));
    damaged.fill(0xff, 12);
    const others = [new Uint8Array(0), new Uint8Array(1000), Uint8Array.of(0x1f, 0x8b), damaged, gzipSync("hello")];
    expect(others.map(isNifti)).toEqual([false, false, false, false, false]);
  });
});

describe("values", () => {
  test("unscaled voxels keep their kind, and the file's bytes are not held on to", () => {
    const file = fileWith(() => {});
    const volume = readNifti(file);
    expect(volume.voxels).toEqual(voxels);
    file.fill(0);
    expect(volume.voxels).toEqual(voxels);
    expect([volume.modality, volume.unit, volume.sources]).toEqual(["OT", "arbitrary", []]);
    expect(
      readNifti(
        fileWith(() => {}),
        { modality: "CT" },
      ).unit,
    ).toBe("HU");
  });

  test.each([0, NaN, Infinity])("a slope of %d means no scaling", (slope) => {
    const file = fileWith((header) => {
      header.setFloat32(112, slope, true);
      header.setFloat32(116, 100, true);
    });
    expect(readNifti(file).voxels).toEqual(voxels);
  });

  test("a fractional slope gives floating point, a whole one keeps integers that hold the result", () => {
    const scaledBy = (slope: number, intercept: number) =>
      readNifti(
        fileWith((header) => {
          header.setFloat32(112, slope, true);
          header.setFloat32(116, intercept, true);
        }),
      ).voxels;
    expect(scaledBy(0.5, 1)).toEqual(Float32Array.from(voxels, (value) => value * 0.5 + 1));
    expect(scaledBy(1, -1024)).toEqual(voxels.map((value) => value - 1024));
    expect(scaledBy(3000, 0)).toEqual(Int32Array.from(voxels, (value) => value * 3000));
  });

  test("a usable slope with an unusable intercept is refused", () => {
    const file = fileWith((header) => {
      header.setFloat32(112, 2, true);
      header.setFloat32(116, NaN, true);
    });
    expect(reasonFor(() => readNifti(file))).toBe("invalid-header");
  });

  test("64-bit integers come as int32 where they fit, else as float64, and are refused where they would be rounded", () => {
    const read = (values: readonly bigint[], code = 1024) => {
      const padded = new BigInt64Array(24);
      padded.set(values);
      const file = fileWith((header, bytes) => {
        header.setInt16(70, code, true);
        bytes.set(new Uint8Array(padded.buffer), 352);
      }, new Float64Array(24));
      return readNifti(file).voxels;
    };
    expect(read([-1n, 2n ** 31n - 1n])).toEqual(Int32Array.of(-1, 2 ** 31 - 1, ...new Array(22).fill(0)));
    expect(read([-(2n ** 40n) - 1n])[0]).toBe(-(2 ** 40) - 1);
    expect(read([2n ** 31n], 1280)).toEqual(Float64Array.of(2 ** 31, ...new Array(23).fill(0)));
    expect(reasonFor(() => read([2n ** 53n]))).toBe("unsupported-datatype");
    expect(reasonFor(() => read([-1n], 1280))).toBe("unsupported-datatype");
  });

  test("an extension between header and voxels is passed over", () => {
    const plain = writeNifti({ geometry, voxels });
    const file = new Uint8Array(plain.length + 32);
    file.set(plain.subarray(0, 348));
    file[348] = 1;
    file.fill(0xee, 352, 384);
    file.set(plain.subarray(352), 384);
    new DataView(file.buffer).setFloat32(108, 384, true);
    expect(readNifti(file).voxels).toEqual(voxels);
  });

  test("a big-endian file reads as its little-endian twin", () => {
    const wide = { geometry, voxels: Float32Array.from(voxels, (value) => value / 3) };
    for (const { voxels: content } of [{ voxels }, wide]) {
      const little = writeNifti({ geometry, voxels: content });
      const big = bigEndian(little, content.BYTES_PER_ELEMENT);
      expect(readNifti(big)).toEqual(readNifti(little));
      expect(readNifti(gzipSync(big))).toEqual(readNifti(little));
    }
  });
});

describe("geometry", () => {
  const sformCode = 254;
  const qformCode = 252;

  test("the sform comes first, then the qform, then the voxel sizes with i to the left about the middle", () => {
    const altered = (codes: readonly [qform: number, sform: number]) =>
      readNifti(
        fileWith((header) => {
          header.setInt16(qformCode, codes[0], true);
          header.setInt16(sformCode, codes[1], true);
          header.setFloat32(268, -11, true);
        }),
      ).geometry.ijkToLps;
    expect(altered([1, 1])[3]).toBe(10);
    expect(altered([1, 0])[3]).toBe(11);
    // nibabel: diag(-1.5, 2, 3) with the middle voxel at 0, in RAS
    expect(altered([0, 0]).map((value) => value + 0)).toEqual(
      fromColumns([1.5, 0, 0], [0, -2, 0], [0, 0, 3], [-0.75, 2, -4.5]).map((value) => value + 0),
    );
  });

  test.each([
    [1, 1000],
    [2, 1],
    [3, 0.001],
    [0, 1],
  ])("with space unit %i, one unit is %d mm", (unit, mm) => {
    const scaled = (header: DataView) => {
      header.setUint8(123, unit);
      for (let n = 0; n < 12; n++) header.setFloat32(280 + 4 * n, header.getFloat32(280 + 4 * n, true) / 16, true);
    };
    const found = readNifti(fileWith(scaled)).geometry.ijkToLps;
    expect(found[0]).toBeCloseTo((-1.5 / 16) * mm, 9);
    expect(found[11]).toBeCloseTo((30 / 16) * mm, 9);
  });

  test("voxels larger than any scanner's are refused, with their size: millimetres that are called metres", () => {
    const metres = fileWith((header) => header.setUint8(123, 1));
    expect(reasonFor(() => readNifti(metres))).toBe("invalid-header");
    expect(() => readNifti(metres)).toThrow("1500 x 2000 x 3000 mm");
  });

  test.each([
    ["a qform", 1],
    ["no transform", 0],
  ])("with %s, a voxel size of 0 is refused, except along an axis of one voxel", (_, code) => {
    const flat = (count: number) =>
      fileWith((header) => {
        header.setInt16(sformCode, 0, true);
        header.setInt16(qformCode, code, true);
        header.setInt16(46, count, true);
        header.setFloat32(88, 0, true);
      });
    expect(reasonFor(() => readNifti(flat(geometry.size[2])))).toBe("invalid-header");
    expect(() => readNifti(flat(geometry.size[2]))).toThrow("no voxel size");
    expect(readNifti(flat(1)).geometry.ijkToLps[10]).toBe(1);
  });

  test.each<[string, (header: DataView) => void]>([
    ["is not a number", (header) => header.setFloat32(280, NaN, true)],
    ["is infinite", (header) => header.setFloat32(292, Infinity, true)],
    ["has a flat axis", (header) => [280, 296, 312].forEach((at) => void header.setFloat32(at, 0, true))],
    ["is all zero", (header) => Array.from({ length: 12 }, (_, n) => header.setFloat32(280 + 4 * n, 0, true))],
  ])("a transform that %s is refused", (_, alter) => {
    expect(reasonFor(() => readNifti(fileWith(alter)))).toBe("invalid-header");
  });

  test("a qform that is no rotation is refused, but only where it is the one that counts", () => {
    const broken = (sform: number) =>
      fileWith((header) => {
        header.setInt16(sformCode, sform, true);
        header.setFloat32(256, 3, true);
      });
    expect(reasonFor(() => readNifti(broken(0)))).toBe("invalid-header");
    expect(reasonFor(() => readNifti(broken(1)))).toBe("no error");
  });

  test("a file of several volumes is refused until one is chosen", () => {
    const file = fileWith((header) => {
      header.setInt16(40, 4, true);
      header.setInt16(46, 2, true);
      header.setInt16(48, 2, true);
    });
    expect(() => readNifti(file)).toThrow("The file holds 2 volumes, 0 to 1, and one is needed here.");
    expect(readNifti(file, { volumeIndex: 1 }).voxels).toEqual(voxels.subarray(12));
    for (const volumeIndex of [-1, 2, 0.5, NaN]) {
      expect(reasonFor(() => readNifti(file, { volumeIndex }))).toBe("unsupported-dimensions");
      expect(() => readNifti(file, { volumeIndex })).toThrow("2 volumes, 0 to 1. Choose one of these.");
    }
  });

  test("for whoever tells notes, the first of several volumes is read, and the note names it", () => {
    const several = writeNifti({ geometry, voxels: Float32Array.from({ length: 72 }, (_, n) => n) }, { volumes: 3 });
    for (const file of [several, gzipSync(several)]) {
      const [first, third] = [decodeNifti(file), decodeNifti(file, { volumeIndex: 2 })];
      expect([first.volume.voxels[0], third.volume.voxels[0]]).toEqual([0, 48]);
      expect(first.notes).toEqual([
        "The file holds 3 volumes, 0 to 2; volume 0 was read. Others are chosen by number.",
      ]);
      expect(third.notes.join()).toContain("volume 2 was read");
      expect(() => decodeNifti(file, { volumeIndex: 3 })).toThrow("Volume 3 was asked for");
    }
    expect(decodeNifti(writeNifti({ geometry, voxels })).notes).toEqual([]);
  });

  test("a single slice of two dimensions is a volume of one slice", () => {
    const file = fileWith((header) => header.setInt16(40, 2, true));
    expect(readNifti(file).geometry.size).toEqual([2, 3, 1]);
  });
});

describe("files that lie or are damaged end in a typed refusal", () => {
  const intact = writeNifti({ geometry, voxels });
  const zipped = gzipSync(intact);

  test.each<[string, string, () => Uint8Array]>([
    ["not-nifti", "nothing", () => new Uint8Array(0)],
    ["not-nifti", "a text", () => new TextEncoder().encode("hello ".repeat(100))],
    ["not-nifti", "an Analyze header", () => fileWith((_, file) => file.fill(0, 344, 348))],
    ["not-nifti", "a gzipped text", () => gzipSync("hello ".repeat(100))],
    ["not-nifti", "the header of a pair", () => fileWith((_, file) => file.set([0x6e, 0x69, 0x31], 344))],
    ["truncated", "a NIfTI-2 header cut short", () => nifti2With(() => {}).subarray(0, 400)],
    ["truncated", "the last voxel is missing", () => intact.subarray(0, -1)],
    ["truncated", "the end of the gzip is missing", () => zipped.subarray(0, -12)],
    ["truncated", "only the header is left", () => intact.subarray(0, 352)],
    [
      "corrupt-gzip",
      "a flipped bit in the gzip",
      () => zipped.map((byte, n) => (n === zipped.length - 7 ? byte ^ 1 : byte)),
    ],
    [
      "corrupt-gzip",
      "gzip's first bytes and nothing sensible",
      () => Uint8Array.from({ length: 400 }, (_, n) => [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0][n] ?? 0xff),
    ],
    [
      "too-large",
      "65535 x 65535 x 65535 voxels",
      () => nifti2With((header) => [1, 2, 3].forEach((n) => void header.setBigInt64(16 + 8 * n, 65535n, true))),
    ],
    [
      "unsupported-dimensions",
      "lengths beyond any integer",
      () => nifti2With((header) => header.setBigInt64(24, 2n ** 62n, true)),
    ],
    ["unsupported-dimensions", "a negative length", () => fileWith((header) => header.setInt16(44, -3, true))],
    ["unsupported-dimensions", "a length of zero", () => fileWith((header) => header.setInt16(42, 0, true))],
    ["unsupported-dimensions", "no dimension", () => fileWith((header) => header.setInt16(40, 0, true))],
    ["unsupported-dimensions", "eight dimensions", () => fileWith((header) => header.setInt16(40, 8, true))],
    ["unsupported-datatype", "complex voxels", () => fileWith((header) => header.setInt16(70, 32, true))],
    ["unsupported-datatype", "colours", () => fileWith((header) => header.setInt16(70, 128, true))],
    ["unsupported-datatype", "an unknown data type", () => fileWith((header) => header.setInt16(70, 999, true))],
    ["invalid-header", "voxels inside the header", () => fileWith((header) => header.setFloat32(108, 100, true))],
    ["invalid-header", "voxels at a negative place", () => fileWith((header) => header.setFloat32(108, -1000, true))],
    ["invalid-header", "voxels at no place", () => fileWith((header) => header.setFloat32(108, NaN, true))],
    ["invalid-header", "voxels at a fractional place", () => fileWith((header) => header.setFloat32(108, 352.5, true))],
    ["truncated", "voxels beyond the end", () => fileWith((header) => header.setFloat32(108, 1e6, true))],
  ])("%s: %s", (reason, _, make) => {
    expect(reasonFor(() => readNifti(make()))).toBe(reason);
  });

  test("a small gzip that declares gigabytes is refused before they are allocated", () => {
    const file = gzipSync(
      nifti2With((header) => [1, 2, 3].forEach((n) => void header.setBigInt64(16 + 8 * n, 1200n, true))),
    );
    const before = process.memoryUsage().arrayBuffers;
    expect(reasonFor(() => readNifti(file))).toBe("truncated");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  test("a gzip that unpacks to far more than it declares is refused without unpacking it", () => {
    const bomb = new Uint8Array(2 ** 27);
    bomb.set(intact);
    const file = gzipSync(bomb);
    const started = performance.now();
    expect(reasonFor(() => readNifti(file))).toBe("too-large");
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test("the caller's own limit on voxels holds for all volumes together", () => {
    expect(reasonFor(() => readNifti(intact, { maxVoxels: 24 }))).toBe("no error");
    expect(reasonFor(() => readNifti(intact, { maxVoxels: 23 }))).toBe("too-large");
  });

  test("no message names what the header says of the patient", () => {
    const file = fileWith((header, bytes) => {
      bytes.set(new TextEncoder().encode("DOE^JOHN"), 148);
      header.setInt16(40, 9, true);
    });
    expect(() => readNifti(file)).toThrow(/^((?!DOE).)*$/);
  });

  test("a pair needs the header of a pair", () => {
    expect(reasonFor(() => readNiftiPair(intact, intact))).toBe("not-nifti");
    const header = fileWith((view, bytes) => {
      bytes.set([0x6e, 0x69, 0x31], 344);
      view.setFloat32(108, 0, true);
    }).subarray(0, 348);
    const image = new Uint8Array(voxels.buffer);
    expect(readNiftiPair(header, image).voxels).toEqual(voxels);
    expect(readNiftiPair(gzipSync(header), gzipSync(image)).voxels).toEqual(voxels);
    expect(reasonFor(() => readNiftiPair(header, image.subarray(2)))).toBe("truncated");
  });
});

describe("writing", () => {
  test("an axis longer than NIfTI-1 can say makes a NIfTI-2", () => {
    const long = { size: [40000, 1, 1], ijkToLps: geometry.ijkToLps, frameOfReferenceUid: "" } as const;
    const content = Uint8Array.from({ length: 40000 }, (_, n) => n);
    const file = writeNifti({ geometry: long, voxels: content });
    expect(new DataView(file.buffer).getInt32(0, true)).toBe(540);
    expect(readNifti(file)).toMatchObject({ voxels: content, geometry: { size: [40000, 1, 1] } });
  });

  test("several volumes go one after the other, along the fourth dimension", () => {
    const content = Float32Array.from({ length: 72 }, (_, n) => n / 8);
    const file = writeNifti({ geometry, voxels: content }, { volumes: 3, gzip: true });
    expect(readNifti(file, { volumeIndex: 2 }).voxels).toEqual(content.subarray(48));
    expect(() => readNifti(file)).toThrow("3 volumes");
  });

  test("voxels that do not fill the grid are refused", () => {
    expect(() => writeNifti({ geometry, voxels: new Uint8Array(25) })).toThrow("25 voxels where 24 belong");
  });

  test("axes that are not at right angles leave the qform out", () => {
    const sheared = fromColumns([1, 0, 0], [0.2, 1, 0], [0, 0, 1], [0, 0, 0]);
    const file = writeNifti({ geometry: { ...geometry, ijkToLps: sheared }, voxels });
    const header = new DataView(file.buffer);
    expect([header.getInt16(252, true), header.getInt16(254, true)]).toEqual([0, 1]);
    expect(readNifti(file).geometry.ijkToLps[1]).toBeCloseTo(0.2, 6);
  });

  test("a description is cut to what fits, in ASCII", () => {
    const file = writeNifti(
      { geometry: { ...geometry, ijkToLps: identity }, voxels },
      { description: "ü".repeat(200) },
    );
    expect(new TextDecoder().decode(file.subarray(148, 229))).toBe(
      `${"?".repeat(79)}\0a`.slice(0, 80).padEnd(81, "\0"),
    );
  });

  test("the same volume gives the same bytes, gzipped too", () => {
    expect(writeNifti({ geometry, voxels }, { gzip: true })).toEqual(writeNifti({ geometry, voxels }, { gzip: true }));
  });
});

/** The file with every header field that is read, and the voxels, in the other byte order. */
function bigEndian(file: Uint8Array, voxelBytes: number): Uint8Array {
  const out = Uint8Array.from(file);
  const swap = (at: number, width: number, count = 1) => {
    for (let n = 0; n < count; n++) out.subarray(at + n * width, at + (n + 1) * width).reverse();
  };
  swap(0, 4);
  swap(40, 2, 8);
  swap(70, 2, 2);
  swap(76, 4, 8);
  swap(108, 4, 3);
  swap(252, 2, 2);
  swap(256, 4, 18);
  swap(352, voxelBytes, (file.length - 352) / voxelBytes);
  return out;
}
