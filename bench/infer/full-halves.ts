import { join } from "node:path";
import { type GraphTensor, type InstalledBundle, layerNoise, NOISE_INPUT } from "#models/index.ts";
import { openGraphProcess } from "#server/engines/index.ts";
import { median } from "../figure.ts";

/** Prompts that are asked together: the engine takes the smallest that is as fast as any. */
const GROUPS = [8, 16, 32];
const MOST = 32;

export interface FullQuestion {
  readonly bundle: InstalledBundle;
  readonly threads: number;
  readonly runs: number;
  /** A slice and so many prompts. */
  question(prompts: number): Readonly<Record<string, GraphTensor>>;
}

/** Medians of the encoder's seconds, and of the decoder's for so many prompts. */
export async function measureHalves({ bundle: { folder, manifest }, threads, runs, question }: FullQuestion) {
  const { imageEncoder, promptDecoder } = manifest.files;
  if (!imageEncoder || !promptDecoder || manifest.sampling.mode !== "frozen") return undefined;
  const noises = (manifest.sampling.noise ?? []).map((dims, layer) => {
    const count = dims.reduce((product, length) => product * length, 1);
    return [`${NOISE_INPUT}${layer}`, { dtype: "float32", dims, data: layerNoise(0, layer, count) }] as const;
  });
  const open = () => {
    const graphs = openGraphProcess({ threads, hold: 2 });
    const look = () => graphs.ask(join(folder, imageEncoder.name), { image: question(1).image! });
    const decode = (features: Readonly<Record<string, GraphTensor>>, prompts: number) =>
      graphs.ask(join(folder, promptDecoder.name), {
        ...features,
        ...Object.fromEntries(noises),
        text_tokens: question(prompts).text_tokens!,
      });
    return { look, decode, [Symbol.asyncDispose]: () => graphs[Symbol.asyncDispose]() };
  };

  await using graphs = open();
  const encode: number[] = [];
  const samples = new Map([1, ...GROUPS].map((prompts) => [prompts, [] as number[]]));
  // The first round warms.
  for (let run = 0; run <= runs; run++) {
    const looked = await graphs.look();
    if (run > 0) encode.push(looked.seconds);
    for (const [prompts, seconds] of samples) {
      const answered = await graphs.decode(looked.outputs, prompts);
      if (run > 0) seconds.push(answered.seconds);
    }
  }
  const decode = Object.fromEntries([...samples].map(([prompts, seconds]) => [prompts, rounded(median(seconds))]));

  /** Peak memory of a process of its own that asks thirty-two prompts so many at a time. */
  async function peakOf(group: number): Promise<number> {
    await using graphs = open();
    const { outputs } = await graphs.look();
    let peak = 0;
    for (let asked = 0; asked < MOST; asked += group) peak = (await graphs.decode(outputs, group)).peakRssMb;
    return peak;
  }
  const thirtyTwoInGroupsOf: Record<number, { readonly seconds: number; readonly peakRssMb: number }> = {};
  for (const group of GROUPS) {
    const seconds = rounded(median(encode) + (MOST / group) * decode[group]!);
    thirtyTwoInGroupsOf[group] = { seconds, peakRssMb: await peakOf(group) };
  }
  return { encode: rounded(median(encode)), decode, thirtyTwoInGroupsOf };
}

export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
