import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";

/**
 * The Part-10 files of one instance set in one file: the mark, when it was begun (float64, ms since 1970), then for each
 * instance its length (uint32), its SHA-256 and its bytes, then END and the number of instances (uint32). Little endian.
 */
const MARK = Buffer.from("P3DSER1\n");
const HEADER_BYTES = MARK.length + 8;
const DIGEST_BYTES = 32;
const END = 0xffff_ffff;
const TRAILER_BYTES = 8;

/** The file is not whole, or not what was written. */
export class DamagedSeriesFileError extends Error {
  override readonly name = "DamagedSeriesFileError";
}

export class SeriesFileWriter {
  readonly #file: FileHandle;
  #count = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string, at: Date): Promise<SeriesFileWriter> {
    const file = await open(path, "wx", 0o600);
    const header = Buffer.alloc(HEADER_BYTES);
    MARK.copy(header);
    header.writeDoubleLE(at.getTime(), MARK.length);
    await writeAll(file, header);
    return new SeriesFileWriter(file);
  }

  async add(instance: Uint8Array): Promise<void> {
    const head = Buffer.alloc(4 + DIGEST_BYTES);
    head.writeUInt32LE(instance.length);
    createHash("sha256").update(instance).digest().copy(head, 4);
    await writeAll(this.#file, head);
    await writeAll(this.#file, instance);
    this.#count += 1;
  }

  /** After this the file is whole, also after the machine loses its power. */
  async finish(): Promise<void> {
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeUInt32LE(END);
    trailer.writeUInt32LE(this.#count, 4);
    await writeAll(this.#file, trailer);
    await this.#file.sync();
    await this.#file.close();
  }

  async abandon(): Promise<void> {
    await this.#file.close().catch(() => {});
  }
}

/** When the file was begun. @throws DamagedSeriesFileError */
export async function readMadeAt(file: FileHandle): Promise<Date> {
  const header = await readExactly(file, 0, HEADER_BYTES);
  if (!header.subarray(0, MARK.length).equals(MARK)) throw new DamagedSeriesFileError("not a file of the cache");
  return new Date(header.readDoubleLE(MARK.length));
}

/** The instances, each checked before it is given. @throws DamagedSeriesFileError, before the first one where the end is missing */
export async function* readSeriesFile(file: FileHandle): AsyncGenerator<Uint8Array> {
  const { size } = await file.stat();
  await readMadeAt(file);
  const trailer = await readExactly(file, size - TRAILER_BYTES, TRAILER_BYTES);
  if (trailer.readUInt32LE() !== END) throw new DamagedSeriesFileError("the file has no end");
  let at = HEADER_BYTES;
  for (let left = trailer.readUInt32LE(4); left > 0; left--) {
    const head = await readExactly(file, at, 4 + DIGEST_BYTES);
    const length = head.readUInt32LE();
    at += head.length;
    if (at + length > size - TRAILER_BYTES) throw new DamagedSeriesFileError("an instance goes beyond the file");
    const instance = await readExactly(file, at, length);
    at += length;
    if (!createHash("sha256").update(instance).digest().equals(head.subarray(4))) {
      throw new DamagedSeriesFileError("an instance is not what was written");
    }
    yield instance;
  }
  if (at !== size - TRAILER_BYTES) throw new DamagedSeriesFileError("the file holds more than its instances");
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  if (position < 0) throw new DamagedSeriesFileError("the file is too short");
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) throw new DamagedSeriesFileError("the file is cut short");
    filled += bytesRead;
  }
  return bytes;
}
