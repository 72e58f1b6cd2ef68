import { UnsupportedImageError } from "#converters/errors.ts";

interface TarEntry {
  readonly name: string;
  /** A view into the archive. */
  readonly content: Uint8Array;
}

const block = 512;

/**
 * The regular files of a tar archive (POSIX ustar), in order.
 * @throws UnsupportedImageError where it is cut short or a header makes no sense
 */
export function* tarEntries(archive: Uint8Array): Generator<TarEntry> {
  for (let at = 0; at + block <= archive.length; ) {
    const header = archive.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) return;
    const size = octal(header.subarray(124, 136));
    at += block;
    if (at + size > archive.length) {
      throw new UnsupportedImageError(
        "truncated",
        "The archive is cut short: a file in it is longer than what is left.",
      );
    }
    const type = String.fromCharCode(header[156]!);
    if (type === "0" || type === "\0")
      yield { name: text(header.subarray(0, 100)), content: archive.subarray(at, at + size) };
    at += Math.ceil(size / block) * block;
  }
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(field: Uint8Array): number {
  const digits = text(field).trim();
  if (!/^[0-7]+$/.test(digits)) throw new UnsupportedImageError("invalid-header", "The file is not a tar archive.");
  return Number.parseInt(digits, 8);
}
