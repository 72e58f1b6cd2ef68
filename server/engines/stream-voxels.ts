import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Volume, Voxels } from "#converters/geometry/index.ts";
import type { InferenceProcess } from "./inference-process.ts";
import type { VolumeHeader, VoxelType } from "./protocol.ts";

/** Of volumes that were asked about before: what is in them does not change. */
const described = new WeakMap<Volume, VolumeHeader>();

/** The volume without its voxels; hashing yields to the event loop at every slice. */
export async function describeVolume(volume: Volume, signal: AbortSignal): Promise<VolumeHeader> {
  const known = described.get(volume) ?? (await describe(volume, signal));
  described.set(volume, known);
  return known;
}

async function describe(volume: Volume, signal: AbortSignal): Promise<VolumeHeader> {
  const { geometry, voxels, unit, modality } = volume;
  const header = {
    size: geometry.size,
    ijkToLps: geometry.ijkToLps,
    modality,
    unit,
    voxelType: plain(voxels).constructor.name as VoxelType,
  };
  const hash = createHash("sha256").update(JSON.stringify(header));
  for (const { part } of slices(volume)) {
    signal.throwIfAborted();
    hash.update(part);
    await setImmediate();
  }
  return { ...header, size: [...geometry.size], key: hash.digest("hex") };
}

/** Sends all voxels slice by slice, each after the one before has left this process. */
export async function streamVoxels(
  volume: Volume,
  process: InferenceProcess,
  { signal, progress }: { readonly signal: AbortSignal; progress(fraction: number): void },
): Promise<void> {
  for (const { offset, part } of slices(volume)) {
    signal.throwIfAborted();
    await process.send({ kind: "slab", offset, voxels: part });
    await setImmediate();
    progress((offset + part.length) / volume.voxels.length);
  }
}

function* slices(volume: Volume) {
  const { size } = volume.geometry;
  const voxels = plain(volume.voxels);
  const pixels = size[0] * size[1];
  for (let k = 0; k < size[2]; k++) {
    const offset = k * pixels;
    yield { offset, part: voxels.subarray(offset, offset + pixels) };
  }
}

/** A Buffer is a Uint8Array too, and arrives as a Buffer. */
function plain(voxels: Voxels): Voxels {
  if (!(voxels instanceof Uint8Array)) return voxels;
  return new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.length);
}
