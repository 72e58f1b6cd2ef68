import { constants, gunzipSync } from "node:zlib";
import { UnsupportedImageError } from "../errors.ts";

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The first bytes of a gzip file, at least `wanted` where it has so many.
 * @throws UnsupportedImageError "corrupt-gzip"
 */
export function gunzipStart(bytes: Uint8Array, wanted: number): Uint8Array {
  let start: Uint8Array = new Uint8Array(0);
  // The second, longer look is for a file whose gzip header carries a long name or extra field.
  for (const taken of [2 ** 12, 2 ** 17]) {
    try {
      start = gunzipSync(bytes.subarray(0, taken), { finishFlush: constants.Z_SYNC_FLUSH });
    } catch (cause) {
      throw corrupt(cause);
    }
    if (start.length >= wanted || taken >= bytes.length) break;
  }
  return start;
}

/**
 * All of a gzip file whose content should be `expected` bytes. Memory stays within what is expected and a little more,
 * and is not asked for where so few bytes cannot hold so much (deflate packs 1032 to 1 at best).
 * @throws UnsupportedImageError "truncated", "too-large" where it unpacks to more than it should, "corrupt-gzip"
 */
export function gunzipWhole(bytes: Uint8Array, expected: number): Uint8Array {
  if (expected > bytes.length * 1032) throw tooShort();
  // Some writers pad the end.
  const most = expected + 2 ** 16;
  // One chunk for everything spares a copy; a header that exaggerates gets no more than images usually pack to.
  const chunkSize = Math.min(most + 1, 64 * bytes.length + 2 ** 16, 2 ** 30);
  try {
    return gunzipSync(bytes, { maxOutputLength: most, chunkSize });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "Z_BUF_ERROR") throw tooShort(cause);
    if (code !== "ERR_BUFFER_TOO_LARGE") throw corrupt(cause);
    const explanation = "The file unpacks to more than its header declares. It is damaged or not what it seems.";
    throw new UnsupportedImageError("too-large", explanation, { cause });
  }
}

function tooShort(cause?: unknown): UnsupportedImageError {
  const explanation = "The file holds fewer voxels than its header declares. Fetch or export it again.";
  return new UnsupportedImageError("truncated", explanation, { cause });
}

function corrupt(cause: unknown): UnsupportedImageError {
  return new UnsupportedImageError("corrupt-gzip", "The file's gzip data is damaged. Fetch or export it again.", {
    cause,
  });
}
