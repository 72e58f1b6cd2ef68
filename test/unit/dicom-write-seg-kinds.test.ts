import { describe, expect, test } from "vitest";
import {
  checkSeg,
  decodeSeg,
  encodeSeg,
  maskOnto,
  readPart10,
  type SegCompression,
  type SegKind,
} from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { createBitVolume } from "#converters/mask/index.ts";
import { dciodvfy, dcmdump, describeWithDciodvfy, describeWithDcmtk } from "../fixtures/dicom-tools.ts";
import {
  ellipsoid,
  exclusiveSegments,
  fractionalSegments,
  GEOMETRY_KINDS,
  geometryOf,
  segInput,
  segmentOf,
  type WholeInput,
} from "../fixtures/seg-cases.ts";

const size: Vec3 = [5, 7, 4];
const KINDS: readonly SegKind[] = ["binary", "fractional", "labelmap"];
const COMPRESSIONS: readonly SegCompression[] = ["none", "rle", "deflated"];
const CASES = KINDS.flatMap((kind) => COMPRESSIONS.map((compression) => ({ kind, compression }))).filter(
  ({ kind, compression }) => !(kind === "binary" && compression === "rle"),
);

function inputOf(kind: SegKind, compression: SegCompression = "none", where = geometryOf("oblique", size)): WholeInput {
  const segments = kind === "fractional" ? fractionalSegments(where.size) : exclusiveSegments(where.size, 3);
  return { ...segInput(where, segments), kind, compression };
}

describe.each(CASES)("a SEG of kind $kind, compression $compression", ({ kind, compression }) => {
  test("passes its self-check on grids that lie every way", () => {
    for (const grid of GEOMETRY_KINDS) {
      const input = inputOf(kind, compression, geometryOf(grid, size));
      expect(() => checkSeg(encodeSeg(input), input)).not.toThrow();
    }
  });

  test("is the same bytes each time", () => {
    const input = inputOf(kind, compression);
    expect(Buffer.compare(encodeSeg(input), encodeSeg(input))).toBe(0);
  });

  test("is found out by the self-check where any one voxel is another", () => {
    const input = inputOf(kind, compression);
    const part10 = encodeSeg(input);
    for (let n = 0; n < size[0] * size[1] * size[2]; n++) {
      const bits = input.segments[2]!.mask.bits.slice();
      bits[n >>> 3]! ^= 1 << (n & 7);
      const segments = [...input.segments.slice(0, 2), { ...input.segments[2]!, mask: { size, bits } }];
      expect(() => checkSeg(part10, { ...input, segments }), `voxel ${n}`).toThrow(/self-check/);
    }
  });

  test("is found out by the self-check where it is of another kind", () => {
    for (const other of KINDS.filter((one) => one !== kind)) {
      expect(() => checkSeg(encodeSeg(inputOf(kind, compression)), { ...inputOf(kind), kind: other })).toThrow(/type/);
    }
  });
});

describe("a fractional SEG", () => {
  test("has the probabilities as they were given, and no frame where all are 0", () => {
    const input = inputOf("fractional");
    const seg = decodeSeg(encodeSeg(input));
    expect(seg.pixels.highest).toBe(255);
    expect(seg.frames.map(({ segmentNumber }) => segmentNumber)).toEqual([1, 1, 1, 1, 2, 3, 3, 3, 3]);
    for (let k = 0; k < 4; k++) expect([...seg.framePixels(k)]).toEqual([...input.segments[0]!.probabilities!(k)!]);
    expect([...seg.framePixels(4)]).toEqual(Array(35).fill(9));
  });

  test("asks for one slice at a time, so that the array may be the same one", () => {
    const input = inputOf("fractional", "rle");
    const [first] = input.segments;
    expect(first!.probabilities!(0)).toBe(first!.probabilities!(3));
    checkSeg(encodeSeg(input), input);
  });

  test("refuses probabilities of another size", () => {
    const input = inputOf("fractional");
    const segments = [{ ...input.segments[0]!, probabilities: () => new Uint8Array(34).fill(1) }];
    expect(() => encodeSeg({ ...input, segments })).toThrow(/34 probabilities on a slice of 35/);
  });

  test("where all probabilities are 0 is nothing to write", () => {
    const input = inputOf("fractional");
    const segments = [{ ...input.segments[0]!, probabilities: () => new Uint8Array(35) }];
    expect(() => encodeSeg({ ...input, segments })).toThrow(/nothing to write/);
  });
});

describe("a label map", () => {
  test("names each voxel's segment, and is read back as the same masks", () => {
    const input = inputOf("labelmap");
    const seg = decodeSeg(encodeSeg(input));
    expect(seg.type).toBe("LABELMAP");
    for (const [n, { mask }] of input.segments.entries()) {
      expect([...maskOnto(seg, n + 1, input.geometry).bits]).toEqual([...mask.bits]);
    }
  });

  test("has as many frames as slices that are not empty", () => {
    expect(decodeSeg(encodeSeg(inputOf("labelmap"))).frames).toHaveLength(3);
  });

  test("of segments that overlap is refused, for it could not say so", () => {
    const segments = [1, 2].map((n) => segmentOf(`thing ${n}`, ellipsoid(size, [0.5, 0.5, 0.5], 0.4), n));
    expect(() => encodeSeg({ ...inputOf("labelmap"), segments })).toThrow(/overlap.*binary/);
  });
});

test("frames of bits are never packed with RLE", () => {
  expect(() => encodeSeg(inputOf("binary", "rle"))).toThrow(/RLE/);
});

test("RLE of a large, mostly empty label map is a small part of its pixels", () => {
  const large: Vec3 = [512, 512, 4];
  const segments = [segmentOf("thing", ellipsoid(large, [0.5, 0.5, 0.5], 0.2))];
  const input = { ...segInput(geometryOf("axial", large), segments), kind: "labelmap" as const };
  const [plain, packed] = [encodeSeg(input), encodeSeg({ ...input, compression: "rle" })];
  expect(packed.length).toBeLessThan(plain.length / 25);
  checkSeg(packed, { ...input, compression: "rle" });
});

test("a source that was compressed with loss makes a result that says so", () => {
  const lossyCompression = { ratios: [12.5], methods: ["ISO_10918_1"] };
  const { dataSet } = readPart10(encodeSeg({ ...inputOf("binary"), lossyCompression }));
  expect(dataSet.LossyImageCompression).toEqual(["01"]);
  expect(dataSet.LossyImageCompressionRatio).toEqual([12.5]);
  expect(dataSet.LossyImageCompressionMethod).toEqual(["ISO_10918_1"]);
  expect(readPart10(encodeSeg(inputOf("binary"))).dataSet.LossyImageCompression).toEqual(["00"]);
  expect(readPart10(encodeSeg({ ...inputOf("binary"), lossyCompression: {} })).dataSet.LossyImageCompression).toEqual([
    "01",
  ]);
});

/** It reads no deflated files, and its 2022 version knows no label maps: dcmtk and highdicom read those. */
const KNOWN_TO_DCIODVFY = CASES.filter(({ kind, compression }) => kind !== "labelmap" && compression !== "deflated");

describeWithDciodvfy("dciodvfy finds no error", () => {
  test.each(KNOWN_TO_DCIODVFY)("in kind $kind, compression $compression", (given) => {
    const input = inputOf(given.kind, given.compression);
    expect(dciodvfy(encodeSeg(input)).errors).toEqual([]);
    const lossyCompression = { ratios: [8], methods: ["ISO_15444_1"] };
    expect(dciodvfy(encodeSeg({ ...input, lossyCompression })).errors).toEqual([]);
  });
});

describeWithDcmtk("dcmtk", () => {
  test.each(CASES)("parses kind $kind, compression $compression to its end", ({ kind, compression }) => {
    const { status, lines } = dcmdump(encodeSeg(inputOf(kind, compression)));
    expect(status).toBe(0);
    expect(lines.filter((line) => /^[EW]:/.test(line))).toEqual([]);
  });
});

test("a mask that is empty on every slice of a label map leaves nothing to write", () => {
  const segments = [segmentOf("thing", createBitVolume(size))];
  expect(() => encodeSeg({ ...inputOf("labelmap"), segments })).toThrow(/nothing to write/);
});
