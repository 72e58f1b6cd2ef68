import { createHash } from "node:crypto";

/**
 * One key for one question: the same instances, model, prompts and options give the same key whatever the order of
 * arrival, and so the same UIDs, so that asking again stores nothing twice.
 */
export function jobKey(question: {
  readonly sopInstanceUids: readonly string[];
  readonly modelSha256: string;
  readonly prompts: readonly { readonly text: string; readonly code?: unknown }[];
  readonly options: Readonly<Record<string, unknown>>;
}): string {
  const canonical = JSON.stringify([
    edition,
    [...question.sopInstanceUids].sort(),
    question.modelSha256,
    question.prompts.map(({ text, code }) => [text, code ?? null]),
    Object.entries(question.options).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
  return createHash("sha256").update(canonical).digest("hex");
}

/**
 * Says how results are made. Counted up whenever the same question comes out as another result (windows, merging,
 * thresholds, encoding), so that the new one is not taken for the old one in the archive.
 */
export const edition = 2;

/** A UID of the 2.25 root (PS3.5 B.2) that follows from the key and the role alone: a version 8 UUID of their hash. */
export function deterministicUid(key: string, role: string): string {
  const digest = createHash("sha256").update(`${key}\n${role}`).digest();
  digest[6] = (digest[6]! & 0x0f) | 0x80;
  digest[8] = (digest[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${digest.subarray(0, 16).toString("hex")}`)}`;
}
