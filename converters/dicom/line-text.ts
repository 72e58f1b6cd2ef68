/** A text as one value of LO: no "\", no control characters, at most 64 characters (PS3.5 section 6.2). */
export function singleLine(text: string): string {
  const plain = text
    .replaceAll("\\", "/")
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim();
  return [...plain].slice(0, 64).join("").trimEnd();
}
