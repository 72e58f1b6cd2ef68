import { type ByteSource, checkRange, damagedWeights, unusableWeights } from "./byte-source.ts";

/** An entry of a zip's central directory. */
export interface ZipEntry {
  readonly name: string;
  readonly stored: boolean;
  /** Bytes of its contents. */
  readonly size: number;
  readonly headerOffset: number;
}

/** APPNOTE.TXT 4.3.6 to 4.3.16: signatures and fixed sizes. */
const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 } as const;
const DIRECTORY_ENTRY = { signature: 0x02014b50, bytes: 46 } as const;
const END = { signature: 0x06054b50, bytes: 22 } as const;
const END_64 = { signature: 0x06064b50, bytes: 56 } as const;
const END_64_LOCATOR = { signature: 0x07064b50, bytes: 20 } as const;
const ZIP64_EXTRA = 0x0001;
const LONGEST_COMMENT = 0xffff;
const IN_ZIP64 = 0xffffffff;

/** Far more than any checkpoint has: some thousand tensors, and twice that for an optimizer. */
const ENTRY_LIMIT = 200_000;
const DIRECTORY_LIMIT_BYTES = 64 * 2 ** 20;
const ENCRYPTED = 1;

/**
 * A zip's entries by name, ZIP64 included.
 *
 * @throws ModelBundleError where the file is no zip, damaged, or beyond all reason
 */
export async function readZipDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { offset, bytes, count } = await findDirectory(source);
  if (count > ENTRY_LIMIT || bytes > DIRECTORY_LIMIT_BYTES)
    throw unusableWeights(source.name, `has ${count} zip entries, more than any checkpoint needs`);
  const directory = view(await source.read(offset, bytes));
  const entries = new Map<string, ZipEntry>();
  for (let at = 0, n = 0; n < count; n++) {
    if (at + DIRECTORY_ENTRY.bytes > bytes || directory.getUint32(at, true) !== DIRECTORY_ENTRY.signature)
      throw damagedWeights(source.name, `has a zip directory that breaks off after ${n} of ${count} entries`);
    const length = directory.getUint16(at + 28, true);
    const extraLength = directory.getUint16(at + 30, true);
    const end = at + DIRECTORY_ENTRY.bytes + length + extraLength + directory.getUint16(at + 32, true);
    if (end > bytes) throw damagedWeights(source.name, `has a zip directory that breaks off in entry ${n + 1}`);
    const name = decoder.decode(part(directory, at + DIRECTORY_ENTRY.bytes, length));
    if (entries.has(name)) throw damagedWeights(source.name, "has two zip entries of one name");
    entries.set(name, { name, ...readEntry(source, directory, at, length, extraLength) });
    at = end;
  }
  return entries;
}

/**
 * Where an entry's contents start in the file. The local header says so, and only it: its extra field (padding, in PyTorch's
 * files) is not that of the directory.
 *
 * @throws ModelBundleError where the contents are compressed or not all there
 */
export async function locateContents(source: ByteSource, entry: ZipEntry): Promise<number> {
  if (!entry.stored) throw unusableWeights(source.name, `keeps "${entry.name}" compressed`);
  const header = view(await source.read(entry.headerOffset, LOCAL_HEADER.bytes));
  if (header.getUint32(0, true) !== LOCAL_HEADER.signature)
    throw damagedWeights(source.name, `has no zip header where "${entry.name}" should start`);
  const offset = entry.headerOffset + LOCAL_HEADER.bytes + header.getUint16(26, true) + header.getUint16(28, true);
  checkRange(source, offset, entry.size);
  return offset;
}

interface DirectoryPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly count: number;
}

async function findDirectory(source: ByteSource): Promise<DirectoryPlace> {
  const tailOffset = Math.max(0, source.size - END.bytes - LONGEST_COMMENT);
  const tail = view(await source.read(tailOffset, source.size - tailOffset));
  for (let at = tail.byteLength - END.bytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END.signature) continue;
    if (tail.getUint16(at + 20, true) !== tail.byteLength - at - END.bytes) continue;
    const place = {
      count: tail.getUint16(at + 10, true),
      bytes: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    };
    const isZip64 = place.count === 0xffff || place.bytes === IN_ZIP64 || place.offset === IN_ZIP64;
    return isZip64 ? findDirectory64(source, tailOffset + at) : place;
  }
  throw damagedWeights(source.name, "has no end of a zip (a download that broke off looks so)");
}

async function findDirectory64(source: ByteSource, endOffset: number): Promise<DirectoryPlace> {
  const locator = view(await source.read(endOffset - END_64_LOCATOR.bytes, END_64_LOCATOR.bytes));
  if (locator.getUint32(0, true) !== END_64_LOCATOR.signature)
    throw damagedWeights(source.name, "is a large zip (ZIP64) without its locator");
  const end = view(await source.read(uint64(locator, 8), END_64.bytes));
  if (end.getUint32(0, true) !== END_64.signature)
    throw damagedWeights(source.name, "is a large zip (ZIP64) without its end record");
  return { count: uint64(end, 32), bytes: uint64(end, 40), offset: uint64(end, 48) };
}

function readEntry(source: ByteSource, directory: DataView, at: number, nameLength: number, extraLength: number) {
  const flags = directory.getUint16(at + 8, true);
  if (flags & ENCRYPTED) throw unusableWeights(source.name, "is an encrypted zip");
  const stored = directory.getUint16(at + 10, true) === 0;
  const short = {
    compressed: directory.getUint32(at + 20, true),
    size: directory.getUint32(at + 24, true),
    headerOffset: directory.getUint32(at + 42, true),
  };
  const extra = part(directory, at + DIRECTORY_ENTRY.bytes + nameLength, extraLength);
  const { size, compressed, headerOffset } = withZip64(source, short, view(extra));
  if (stored && size !== compressed) throw damagedWeights(source.name, "has a stored zip entry of two sizes");
  return { stored, size, headerOffset };
}

interface ShortFields {
  readonly compressed: number;
  readonly size: number;
  readonly headerOffset: number;
}

/** APPNOTE.TXT 4.5.3: the fields that did not fit follow in this order, and only those. */
function withZip64(source: ByteSource, fields: ShortFields, extra: DataView): ShortFields {
  if (fields.size !== IN_ZIP64 && fields.compressed !== IN_ZIP64 && fields.headerOffset !== IN_ZIP64) return fields;
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const id = extra.getUint16(at, true);
    const end = at + 4 + extra.getUint16(at + 2, true);
    if (end > extra.byteLength) break;
    if (id === ZIP64_EXTRA) {
      let next = at + 4;
      const wide = (short: number) => {
        if (short !== IN_ZIP64) return short;
        if (next + 8 > end) throw damagedWeights(source.name, "has a ZIP64 entry without its size");
        next += 8;
        return uint64(extra, next - 8);
      };
      const size = wide(fields.size);
      const compressed = wide(fields.compressed);
      return { size, compressed, headerOffset: wide(fields.headerOffset) };
    }
    at = end;
  }
  throw damagedWeights(source.name, "has a ZIP64 entry without its size");
}

const decoder = new TextDecoder();

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function part(bytes: DataView, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}

/** Beyond 2^53 it is not exact, and larger than any file: ranges are checked before they are read. */
function uint64(bytes: DataView, at: number): number {
  return Number(bytes.getBigUint64(at, true));
}
