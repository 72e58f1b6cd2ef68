/**
 * Uniform numbers in [0, 1) that anybody can make again: number i of a name is a mix of its FNV-1a hash and i, all in 32 bit.
 * Multiples of 2^-24, so exact in float32.
 */
export function uniformNoise(name: string, count: number): Float32Array {
  const noise = new Float32Array(count);
  const seed = fnv1a(name);
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 0x9e3779b9) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    noise[i] = ((x ^ (x >>> 16)) >>> 8) * 2 ** -24;
  }
  return noise;
}

/** Noise of the attention mask before a layer of the decoder, [heads, queries, tokens]. */
export function layerNoise(seed: number, layer: number, count: number): Float32Array {
  return uniformNoise(`noise.${seed}.${layer}`, count);
}

function fnv1a(text: string): number {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 16777619);
  return hash;
}
