/**
 * The inverse discrete cosine transform of a block of 8x8, in place, with the samples moved to where they belong and held
 * in range: the accurate integer method of Loeffler, Ligtenberg and Moschytz as libjpeg has it ("islow"), fractions of
 * 13 bits, so that equal coefficients give equal samples.
 */
export function inverseDct(block: Int32Array, bitsPerSample: number): void {
  // Columns keep some bits of their fraction, as many as 32 bits have room for.
  const kept = bitsPerSample === 8 ? 2 : 1;
  for (let x = 0; x < 8; x++) transform(block, x, 8, FRACTION_BITS - kept);
  for (let row = 0; row < 64; row += 8) transform(block, row, 1, FRACTION_BITS + kept + 3);
  const middle = 1 << (bitsPerSample - 1);
  const most = (1 << bitsPerSample) - 1;
  for (let n = 0; n < 64; n++) {
    const sample = block[n]! + middle;
    block[n] = sample < 0 ? 0 : sample > most ? most : sample;
  }
}

const FRACTION_BITS = 13;

/** Eight values, `step` apart, rounded to `shift` bits less. */
function transform(block: Int32Array, first: number, step: number, shift: number): void {
  const at1 = first + step;
  const at2 = at1 + step;
  const at3 = at2 + step;
  const at4 = at3 + step;
  const at5 = at4 + step;
  const at6 = at5 + step;
  const at7 = at6 + step;

  const even = Math.imul(block[at2]! + block[at6]!, 4433);
  const e2 = even - Math.imul(block[at6]!, 15137);
  const e3 = even + Math.imul(block[at2]!, 6270);
  const e0 = (block[first]! + block[at4]!) << FRACTION_BITS;
  const e1 = (block[first]! - block[at4]!) << FRACTION_BITS;

  const [i7, i5, i3, i1] = [block[at7]!, block[at5]!, block[at3]!, block[at1]!];
  const z5 = Math.imul(i7 + i3 + i5 + i1, 9633);
  const z1 = Math.imul(i7 + i1, -7373);
  const z2 = Math.imul(i5 + i3, -20995);
  const z3 = Math.imul(i7 + i3, -16069) + z5;
  const z4 = Math.imul(i5 + i1, -3196) + z5;
  const o0 = Math.imul(i7, 2446) + z1 + z3;
  const o1 = Math.imul(i5, 16819) + z2 + z4;
  const o2 = Math.imul(i3, 25172) + z2 + z3;
  const o3 = Math.imul(i1, 12299) + z1 + z4;

  const half = 1 << (shift - 1);
  block[first] = (e0 + e3 + o3 + half) >> shift;
  block[at7] = (e0 + e3 - o3 + half) >> shift;
  block[at1] = (e1 + e2 + o2 + half) >> shift;
  block[at6] = (e1 + e2 - o2 + half) >> shift;
  block[at2] = (e1 - e2 + o1 + half) >> shift;
  block[at5] = (e1 - e2 - o1 + half) >> shift;
  block[at3] = (e0 - e3 + o0 + half) >> shift;
  block[at4] = (e0 - e3 - o0 + half) >> shift;
}
