import { fromColumns, resampleTrilinear, type Volume } from "#converters/geometry/index.ts";
import { connectedComponents, createBitVolume, packBits } from "#converters/mask/index.ts";
import { percentileWindow, windowToUint8 } from "#converters/pixels/index.ts";
import { compare, type Report, type Suite } from "../figure.ts";
import { interleave } from "../interleave.ts";

const SIDE = 512;
const SLICES = 100;
const VOXELS = SIDE * SIDE * SLICES;
const ROUNDS = 5;

export const programs: Suite["programs"] = {};

/** Loops over all voxels of a CT of 100 slices, beside copying the same voxels from memory to memory: what no loop can beat. */
export async function run(report: Report): Promise<void> {
  const volume = noisyBall();
  const { voxels } = volume;
  const copy = new Int16Array(VOXELS);
  const mask = createBitVolume(volume.geometry.size);
  const bytes = new Uint8Array(VOXELS);
  for (let n = 0; n < VOXELS; n++) if (voxels[n]! > 0) bytes[n] = 1;
  packBits(bytes, mask.bits);
  const coarse = {
    size: [256, 256, SLICES] as const,
    ijkToLps: fromColumns([1.4, 0, 0], [0, 1.4, 0], [0, 0, 1.25], [0.35, 0.35, 0]),
    frameOfReferenceUid: "",
  };
  const kernels: Readonly<Record<string, () => unknown>> = {
    window: () => windowToUint8(voxels, { width: 400, level: 40 }),
    percentiles: () => percentileWindow(voxels, { of: "all" }),
    "resample to a quarter": () => resampleTrilinear(volume, { ...coarse, size: [...coarse.size] }, -1024),
    "connected components": () => connectedComponents(mask),
    "pack bits": () => packBits(bytes, mask.bits),
  };
  for (const [name, kernel] of Object.entries(kernels)) {
    const timed = (work: () => unknown) => async () => {
      const begun = performance.now();
      work();
      return ((performance.now() - begun) * 1e6) / VOXELS;
    };
    const samples = await interleave(ROUNDS, { ours: timed(kernel), copying: timed(() => copy.set(voxels)) });
    report.figure(compare(name, "ns a voxel", samples.ours, { name: "memcpy", samples: samples.copying }));
  }
}

function noisyBall(): Volume<Int16Array> {
  const voxels = new Int16Array(VOXELS);
  let noise = 1;
  for (let k = 0, n = 0; k < SLICES; k++) {
    for (let j = 0; j < SIDE; j++) {
      for (let i = 0; i < SIDE; i++) {
        noise = (Math.imul(noise, 1664525) + 1013904223) | 0;
        const inBall = (i - SIDE / 2) ** 2 + (j - SIDE / 2) ** 2 + (k - SLICES / 2) ** 2 < (SIDE / 3) ** 2;
        voxels[n++] = (inBall ? 300 : -900) + (noise >> 25);
      }
    }
  }
  return {
    geometry: {
      size: [SIDE, SIDE, SLICES],
      ijkToLps: fromColumns([0.7, 0, 0], [0, 0.7, 0], [0, 0, 1.25], [0, 0, 0]),
      frameOfReferenceUid: "",
    },
    voxels,
    unit: "HU",
    modality: "CT",
    sources: [],
  };
}
