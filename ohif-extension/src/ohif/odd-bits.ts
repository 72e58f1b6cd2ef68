import type { LabelImage } from "./labelmap.ts";
import type { SegInstance, Sequence } from "./types.ts";

/** How Pixel Data begins in explicit little endian: its tag, and the O of OB or OW; the length comes 8 bytes after (PS3.5 section 7.1.2). */
const PIXEL_DATA = [0xe0, 0x7f, 0x10, 0x00, 0x4f] as const;
const HEADER = 12;

/** The bits of a SEG whose frames begin within bytes (PS3.5 section 8.1.1). */
export interface OddBits {
  /** The file without the byte that pads an odd number of them. */
  readonly file: ArrayBuffer;
  isSet(bit: number): boolean;
}

function bitsPerFrame({ BitsAllocated, Rows = 0, Columns = 0 }: SegInstance): number {
  return BitsAllocated === 1 ? Rows * Columns : 0;
}

/** Undefined where every frame begins with a byte, or the file is not one whose Pixel Data comes last. */
export function oddBitsOf(file: unknown, instance: SegInstance): OddBits | undefined {
  const bits = bitsPerFrame(instance);
  if (!(file instanceof ArrayBuffer) || bits % 8 === 0) return undefined;
  const bytes = Math.ceil((bits * (instance.NumberOfFrames ?? 1)) / 8);
  const padded = bytes + (bytes % 2);
  const at = file.byteLength - padded - HEADER;
  if (at < 0) return undefined;
  const header = new DataView(file, at);
  if (!PIXEL_DATA.every((byte, n) => header.getUint8(n) === byte) || header.getUint32(8, true) !== padded)
    return undefined;
  const copy = file.slice(0, at + HEADER + bytes);
  new DataView(copy, at).setUint32(8, bytes, true);
  const packed = new Uint8Array(copy, at + HEADER);
  return { file: copy, isSet: (bit) => (((packed[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1 };
}

/** Puts the labels where the bits say, each segment's into the map that holds it. */
export function relabelByBits(
  instance: SegInstance,
  { isSet }: OddBits,
  layers: readonly ReadonlyMap<string, LabelImage>[],
): void {
  const labelsOf = ({ voxelManager }: LabelImage) => voxelManager.getScalarData();
  const all = layers.flatMap((layer) => [...layer.values()]);
  const layerOf = new Map<number, ReadonlyMap<string, LabelImage>>();
  for (const layer of layers) {
    for (const image of layer.values()) for (const label of new Set(labelsOf(image))) layerOf.set(label, layer);
  }
  for (const image of all) labelsOf(image).fill(0);
  const bits = bitsPerFrame(instance);
  for (const [frame, groups] of listOf(instance.PerFrameFunctionalGroupsSequence).entries()) {
    const [segment] = listOf(groups.SegmentIdentificationSequence);
    const [derivation] = listOf(groups.DerivationImageSequence);
    const [source] = listOf(derivation?.SourceImageSequence);
    const name = `/instances/${source?.ReferencedSOPInstanceUID}/frames/${source?.ReferencedFrameNumber ?? 1}`;
    const label = segment?.ReferencedSegmentNumber ?? 0;
    const image = [...(layerOf.get(label) ?? [])].find(([id]) => id.endsWith(name))?.[1];
    if (!image) continue;
    const labels = labelsOf(image);
    for (let pixel = 0; pixel < bits; pixel++) if (isSet(frame * bits + pixel)) labels[pixel] = label;
  }
  for (const image of all) image.voxelManager.setScalarData?.(labelsOf(image));
}

function listOf<Item>(sequence: Sequence<Item> | undefined): readonly Item[] {
  if (sequence === undefined) return [];
  return Array.isArray(sequence) ? sequence : [sequence as Item];
}
