import { open, rename } from "node:fs/promises";

/** Tensor name -> shape. */
export type TensorShapes = Readonly<Record<string, readonly number[]>>;

/** Float32 numbers in [-1, 1) that belong to a name: the rule of the golden data's README, so that anybody can make them. */
export function madeNumbers(name: string, count: number): Float32Array {
  let seed = 2166136261;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 16777619);
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let x = (Math.imul(i, 0x9e3779b9) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    numbers[i] = ((x ^ (x >>> 16)) >>> 8) * 2 ** -23 - 1;
  }
  return numbers;
}

/** The weight of a name and shape that the golden data were made with. */
export function madeWeight(name: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, length) => product * length, 1);
  if (name.endsWith("logit_scale")) return new Float32Array(count).fill(1);
  if (name === "pixel_mean") return new Float32Array(count).fill(114.495);
  if (name === "pixel_std") return new Float32Array(count).fill(57.63);
  const { centre, spread } = distribution(name, shape);
  const weight = madeNumbers(name, count);
  for (let i = 0; i < count; i++) weight[i] = centre + Math.fround(weight[i]! * spread);
  return weight;
}

function distribution(name: string, shape: readonly number[]): { readonly centre: number; readonly spread: number } {
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (shape.length >= 2) {
    const isEmbedding = name.includes("embed") && !name.includes("proj") && !name.includes("mask_embed");
    const inputs = shape.slice(1).reduce((product, length) => product * length, 1);
    return { centre: 0, spread: isEmbedding ? 0.5 : Math.fround(Math.sqrt(3 / inputs)) };
  }
  if (last.startsWith("gamma")) return { centre: 0.5, spread: Math.fround(0.1) };
  if (last === "weight") return { centre: 1, spread: Math.fround(0.2) };
  return { centre: 0, spread: Math.fround(0.1) };
}

/** Writes the made weights of these tensors as a safetensors file, one tensor at a time. */
export async function writeMadeWeights(path: string, shapes: TensorShapes): Promise<void> {
  let end = 0;
  const entries = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += 4 * shape.reduce((product, length) => product * length, 1);
    return [name, { dtype: "F32", shape, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const unfinished = `${path}.${process.pid}`;
  await using file = await open(unfinished, "w");
  await file.writeFile(length);
  await file.writeFile(header);
  for (const [name, { shape }] of entries) {
    const { buffer } = madeWeight(name, shape);
    await file.writeFile(new Uint8Array(buffer));
  }
  await rename(unfinished, path);
}
