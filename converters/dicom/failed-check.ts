/** A result that is not what it was made from: it must not be stored. */
export function failedCheck(object: string, difference: string): Error {
  return new Error(`${object} failed its self-check before storing: ${difference}. This is a defect; report it.`);
}

/** @throws Error that names the first pair that is not the same */
export function checkSame(
  object: string,
  pairs: readonly (readonly [what: string, found: unknown, wanted: unknown])[],
) {
  for (const [what, found, wanted] of pairs) if (found !== wanted) throw failedCheck(object, `it has another ${what}`);
}
