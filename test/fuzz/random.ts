/** Numbers that a seed decides: the same on every machine. */
export interface Random {
  /** A whole number from 0 up to, not including, `end`. */
  below(end: number): number;
  pick<T>(list: readonly T[]): T;
  chance(part: number): boolean;
}

/** @param seed and `stream` (a case's number) together choose the numbers (a counter through SplitMix32's mixing). */
export function randomOf(seed: number, stream: number): Random {
  let state = mix(seed ^ mix(stream + 0x9e3779b9));
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state) >>> 0;
  };
  const below = (end: number) => Math.floor((next() / 2 ** 32) * end);
  return { below, pick: (list) => list[below(list.length)]!, chance: (part) => next() / 2 ** 32 < part };
}

function mix(value: number): number {
  let z = value | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
