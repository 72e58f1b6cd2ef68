import { length, type SourceInstance, subtract, transformPoint } from "../geometry/index.ts";
import { bitsFrom } from "./bit-copy.ts";
import { decodeSeg } from "./decode-seg.ts";
import type { DecodedSeg, DecodedSegFrame } from "./decoded-seg.ts";
import { sliceBits } from "./mask-slices.ts";
import { fillFrame, nonEmptyFrames } from "./seg-frames.ts";
import type { SegInput } from "./seg-input.ts";
import { frameBits } from "./seg-pixels.ts";

/** mm: what rounding to 16 characters may cost, and far less than a pixel. */
const POSITION_TOLERANCE_MM = 1e-3;

/**
 * Reads a SEG that is about to leave and holds it against what it was made from: identifiers, segments, and of every
 * frame its pixels, position, source and dimension index; and that no slice is missing.
 * @throws Error that names the first difference: the SEG must not be stored
 */
export function checkSeg(part10: Uint8Array, expected: SegInput): void {
  const seg = decodeSeg(part10);
  checkIdentity(seg, expected);
  const wanted = new Set(nonEmptyFrames(expected.kind ?? "binary", expected).map(nameOfFrame));
  const slices = new Map<number, number>();
  for (let n = 0; n < seg.frames.length; n++) {
    const frame = seg.frames[n]!;
    checkSegment(frame, n, expected);
    const sliceIndex = checkPlace(frame, n, expected);
    checkPixels(seg, n, expected, sliceIndex);
    checkIndex(frame, n, sliceIndex, slices);
    if (!wanted.delete(nameOfFrame({ ...frame, sliceIndex }))) {
      throw differs(`frame ${n + 1}`, "is empty or repeats another frame");
    }
  }
  const inOrder = [...slices].sort(([a], [b]) => a - b).map(([, sliceIndex]) => sliceIndex);
  if (inOrder.some((k, n) => n > 0 && k <= inOrder[n - 1]!)) throw differs("the dimension index", "is out of order");
  for (const missing of wanted) throw differs(missing, "has no frame");
}

function nameOfFrame({ segmentNumber, sliceIndex }: { readonly segmentNumber?: number; readonly sliceIndex: number }) {
  return segmentNumber === undefined ? `slice ${sliceIndex + 1}` : `segment ${segmentNumber}, slice ${sliceIndex + 1}`;
}

function checkSegment({ segmentNumber }: DecodedSegFrame, n: number, { kind, segments }: SegInput): void {
  const named = kind === "labelmap" ? segmentNumber === undefined : segments[(segmentNumber ?? 0) - 1] !== undefined;
  if (!named) throw differs(`frame ${n + 1}`, "names a segment that was not given");
}

function checkIdentity(seg: DecodedSeg, { uids, header, geometry, segments, sources, kind }: SegInput): void {
  const same: readonly (readonly [string, unknown, unknown])[] = [
    ["SOP Instance UID", seg.sopInstanceUid, uids.instance],
    ["Series Instance UID", seg.seriesInstanceUid, uids.series],
    ["Study Instance UID", seg.studyInstanceUid, header.study.StudyInstanceUID],
    ["Frame of Reference UID", seg.frameOfReferenceUid, geometry.frameOfReferenceUid],
    ["type", seg.type.toLowerCase(), kind ?? "binary"],
    ["number of columns", seg.frameGeometry.columns, geometry.size[0]],
    ["number of rows", seg.frameGeometry.rows, geometry.size[1]],
    ["number of segments", seg.segments.length, segments.length],
  ];
  for (const [what, found, wanted] of same) if (found !== wanted) throw differs("the SEG", `has another ${what}`);
  for (const [n, { codes, tracking }] of segments.entries()) {
    const found = seg.segments[n]!;
    if (found.tracking?.uid !== tracking.uid) throw differs(`segment ${n + 1}`, "has another tracking UID");
    if (found.codes?.type.value !== codes.type.value) throw differs(`segment ${n + 1}`, "has another type");
  }
  if (sources.length === 0) return;
  if (seg.referencedSeriesInstanceUid !== header.series.SeriesInstanceUID) {
    throw differs("the SEG", "refers to another series");
  }
  const referenced = new Set(seg.referencedSopInstanceUids);
  if (!sources.every(({ sopInstanceUid }) => referenced.has(sopInstanceUid))) {
    throw differs("the SEG", "does not refer to every source instance");
  }
}

/** @returns the slice that the frame lies on. */
function checkPlace(frame: DecodedSegFrame, n: number, { geometry, sources }: SegInput): number {
  const away = ({ positionLps }: SourceInstance) => length(subtract(frame.positionLps, positionLps));
  // The slices of a mosaic come from one frame.
  const [source] = sources
    .filter(
      ({ sopInstanceUid, frame: number }) =>
        sopInstanceUid === frame.sourceSopInstanceUid && (number ?? 1) === (frame.sourceFrame ?? 1),
    )
    .sort((a, b) => away(a) - away(b));
  if (source === undefined && frame.sourceSopInstanceUid !== undefined) {
    throw differs(`frame ${n + 1}`, "refers to an instance that was not given");
  }
  const sliceIndex = source?.sliceIndex ?? sliceAt(frame, geometry);
  if (source === undefined && sources.some((other) => other.sliceIndex === sliceIndex)) {
    throw differs(`frame ${n + 1}`, "does not refer to its source");
  }
  const wanted = source?.positionLps ?? transformPoint(geometry.ijkToLps, [0, 0, sliceIndex]);
  if (!(length(subtract(frame.positionLps, wanted)) <= POSITION_TOLERANCE_MM)) {
    throw differs(`frame ${n + 1}`, "lies elsewhere");
  }
  return sliceIndex;
}

function sliceAt({ positionLps }: DecodedSegFrame, { size, ijkToLps }: SegInput["geometry"]): number {
  for (let k = 0; k < size[2]; k++) {
    if (length(subtract(positionLps, transformPoint(ijkToLps, [0, 0, k]))) <= POSITION_TOLERANCE_MM) return k;
  }
  return -1;
}

function checkPixels(seg: DecodedSeg, n: number, { segments }: SegInput, sliceIndex: number): void {
  const { segmentNumber } = seg.frames[n]!;
  const count = seg.frameGeometry.rows * seg.frameGeometry.columns;
  const binary = seg.type === "BINARY";
  const found = binary ? frameBits(seg.pixels, count, n) : seg.pixels.frame(n).bytes;
  let wanted: Uint8Array;
  if (binary) {
    const { bytes, startBit } = sliceBits(segments[segmentNumber! - 1]!.mask, sliceIndex);
    wanted = bitsFrom(bytes, startBit, count);
  } else {
    wanted = new Uint8Array(found.length);
    fillFrame({ ...(segmentNumber !== undefined && { segmentNumber }), sliceIndex }, segments, wanted);
  }
  if (Buffer.compare(found, wanted) !== 0) throw differs(`frame ${n + 1}`, "has other voxels than its slice");
}

/** PS3.3 section C.7.6.17: the segment, but in a label map, and then a number that counts positions upwards. */
function checkIndex(frame: DecodedSegFrame, n: number, sliceIndex: number, slices: Map<number, number>): void {
  const values = frame.dimensionIndexValues;
  const [segmentIndex, positionIndex, ...more] = frame.segmentNumber === undefined ? [undefined, ...values] : values;
  if (segmentIndex !== frame.segmentNumber || positionIndex === undefined || more.length > 0) {
    throw differs(`frame ${n + 1}`, "has a wrong dimension index");
  }
  const known = slices.get(positionIndex);
  if (known !== undefined && known !== sliceIndex) throw differs(`frame ${n + 1}`, "shares its dimension index");
  slices.set(positionIndex, sliceIndex);
}

function differs(what: string, how: string): Error {
  return new Error(
    `The segmentation failed its self-check before storing: ${what} ${how}. This is a defect; report it.`,
  );
}
