/**
 * A number as a decimal string (VR DS, PS3.5 section 6.2): the nearest that 16 characters can hold, and exactly the
 * number wherever 16 characters suffice.
 * @throws RangeError for NaN and infinities, which DS cannot hold.
 */
export function formatDecimalString(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError("a decimal string cannot hold NaN or an infinity");
  if (value === 0) return "0";
  const shortest = String(value);
  if (shortest.length <= DS_LENGTH) return shortest;
  for (let digits = 16; digits > 1; digits--) {
    const rounded = Number(value.toPrecision(digits));
    const plain = String(rounded);
    if (plain.length <= DS_LENGTH) return plain;
    const scientific = value.toExponential(digits - 1).replace("e+", "e");
    if (scientific.length <= DS_LENGTH) return scientific;
  }
  return value.toExponential(0);
}

const DS_LENGTH = 16;
