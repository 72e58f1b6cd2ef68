import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromColumns, type Volume } from "#converters/geometry/index.ts";
import { buildBoltzFormer, type InstalledBundle, openBundle, parseNetworkConfig } from "#models/index.ts";
import { openGraphProcess } from "#server/engines/index.ts";

const GOLDEN = join(
  process.env.PARSE3D_TEST_DATA ?? join(import.meta.dirname, "../../../shared/data"),
  "boltzformer_golden",
);

/** The golden data's network as a bundle in `folder`: MedImageParse 3D's build at 1.8 million weights and pictures of 128 x 128. */
export async function buildSmallNetwork(folder: string): Promise<InstalledBundle> {
  await mkdir(folder, { recursive: true });
  const { config } = JSON.parse(await readFile(join(GOLDEN, "small.json"), "utf8"));
  await using graphs = openGraphProcess();
  await buildBoltzFormer({
    weights: join(GOLDEN, "small.ckpt"),
    folder,
    config: parseNetworkConfig(config),
    name: SMALL_NETWORK,
    run: graphs.run,
  });
  const bundle = await openBundle(folder);
  if (bundle.engine !== "bundle") throw new Error("the builder made another kind of model");
  return bundle;
}

const SMALL_NETWORK = "small-boltzformer";

/** A CT of a ball in noise; another `seed` is another volume. */
export function noisyCt(size: readonly [number, number, number], seed: number): Volume<Int16Array> {
  const [ni, nj, nk] = size;
  const voxels = new Int16Array(ni * nj * nk);
  let noise = seed;
  for (let k = 0, n = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++, n++) {
        noise = (Math.imul(noise, 1664525) + 1013904223) | 0;
        const inBall = (i - ni / 2) ** 2 + (j - nj / 2) ** 2 + (k - nk / 2) ** 2 < (ni / 3) ** 2;
        voxels[n] = (inBall ? 60 : -900) + (noise >> 26);
      }
    }
  }
  const ijkToLps = fromColumns([0.7, 0, 0], [0, 0.7, 0], [0, 0, 1.25], [0, 0, 0]);
  return {
    geometry: { size: [ni, nj, nk], ijkToLps, frameOfReferenceUid: "2.25.1" },
    voxels,
    unit: "HU",
    modality: "CT",
    sources: [],
  };
}
