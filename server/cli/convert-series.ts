// Not by the folders' faces: what reads and writes all else would take longer to load than a series to convert.
import { type OpenedSeries, openSeries } from "#converters/dicom/decode-series.ts";
import { voxelSizeMm } from "#converters/geometry/index.ts";
import { niftiHeader, niftiParts } from "#converters/nifti/write.ts";
import { isDevice, writeOutput, writeOutputFile } from "../files.ts";
import type { CommandContext } from "./command.ts";
import { isGzipName } from "./nifti-name.ts";

/** The flags of `convert`. */
export interface ConvertOptions {
  readonly output: string;
  readonly volume?: number;
  readonly like?: string;
  readonly resample?: boolean;
  readonly padding: "keep" | "air";
  readonly petUnits: "suv" | "activity";
  readonly json?: boolean;
}

type Instances = Parameters<typeof openSeries>[0];

export async function convertSeries(
  instances: Instances,
  { output, volume: wanted, resample = false, padding, petUnits }: ConvertOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  using watch = terminal.watch(signal);
  const series = await openSeries(instances, {
    signal,
    resample,
    padding,
    petUnits,
    ...(wanted !== undefined && { volume: wanted }),
    onInstance: (count) => watch.progress("decode", 0, `${count} instances`),
  });
  const notes = await writeSeries(series, output);
  const { geometry, unit, modality } = series.volume;
  const { size, ijkToLps } = geometry;
  const voxelMm = voxelSizeMm(ijkToLps);
  terminal.answer({ output, size, voxelMm, unit, modality, notes }, [
    `${size.join(" x ")} voxels of ${voxelMm.map((mm) => mm.toPrecision(4)).join(" x ")} mm, ${unit}, written to ${output}`,
    ...notes,
  ]);
}

/** Writes slices as they are decoded, where that can be: a volume that is not held in memory is converted in a third of the time. */
async function writeSeries(series: OpenedSeries, output: string): Promise<readonly string[]> {
  const { decodeSlices, volume } = series;
  if (decodeSlices === undefined || isGzipName(output) || (await isDevice(output))) {
    const { volume: whole, notes } = await series.decode();
    const parts = niftiParts(whole);
    await writeOutput(output, ...(isGzipName(output) ? await gzipped(parts) : parts));
    return notes;
  }
  return writeOutputFile(output, (put) =>
    decodeSlices((k, values) => {
      const header = niftiHeader(volume.geometry, values);
      const { buffer, byteOffset, byteLength } = values;
      if (k === 0) put(header, 0);
      put(new Uint8Array(buffer, byteOffset, byteLength), header.length + k * byteLength);
    }),
  );
}

/** In pieces: a compressed file may be as large as the volume beside it, but no copy of that is made. */
async function gzipped(parts: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const { createGzip } = await import("node:zlib");
  const gzip = createGzip({ level: 4, chunkSize: 1024 * 1024 });
  const { Readable } = await import("node:stream");
  return Readable.from(pieces(parts)).pipe(gzip).toArray();
}

const PIECE_BYTES = 4 * 1024 * 1024;

function* pieces(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) yield part.subarray(at, at + PIECE_BYTES);
  }
}
