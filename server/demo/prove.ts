import { join } from "node:path";
import { decodeSeg, decodeSeries, maskOnto } from "#converters/dicom/index.ts";
import { countBits } from "#converters/mask/index.ts";
import type { JobView } from "#server/contract/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import type { AppPorts } from "../app.ts";
import { writeOutput } from "../files.ts";
import { overlayPng } from "./overlay-png.ts";

/** What `npm run demo -- --once` prints of each prompt: one JSON document. */
export interface ProvenAnswer {
  readonly series: string;
  readonly prompt: string;
  readonly seg: string;
  readonly voxels: number;
  readonly volumeMl: number;
  readonly seconds: Readonly<Record<"fetch" | "decode" | "infer" | "encode" | "store", number>>;
  readonly model: string;
  /** A picture of three middle slices with the mask as the archive holds it. */
  readonly overlay: string;
}

/**
 * Fetches the stored SEG back from the archive and holds it against the job's answer: same voxels, on the scan's own
 * grid, referring to its series; then draws it.
 * @throws Error that names what does not hold
 */
export async function prove(
  ports: AppPorts,
  series: SeriesRef,
  job: JobView,
  { folder, name, signal }: { readonly folder: string; readonly name: string; readonly signal: AbortSignal },
): Promise<ProvenAnswer> {
  const { result } = job;
  const [finding] = job.findings;
  if (!result || !finding) throw new Error("the job ended without a finding");
  if (!finding.present || !result.seg) throw new Error(`"${finding.prompt.text}" was not found on the demo image`);
  const part10 = await ports.archive.fetchInstance(result.seg, { signal });
  const seg = decodeSeg(part10);
  if (seg.referencedSeriesInstanceUid !== series.seriesInstanceUid)
    throw new Error("the stored SEG refers to another series");
  const { volume } = await decodeSeries(ports.source.instances(series, { signal }), { signal });
  const mask = maskOnto(seg, finding.segmentNumber ?? 1, volume.geometry);
  const voxels = countBits(mask.bits, 0, mask.bits.length * 8);
  if (voxels !== finding.voxels)
    throw new Error(`the stored SEG holds ${voxels} voxels, the job found ${finding.voxels}`);

  const overlay = join(folder, `${name}.png`);
  await writeOutput(overlay, overlayPng({ volume, masks: [{ name: finding.prompt.text, mask }] }));
  return {
    series: series.seriesInstanceUid,
    prompt: finding.prompt.text,
    seg: result.seg.sopInstanceUid,
    voxels,
    volumeMl: finding.volumeMl ?? 0,
    seconds: { fetch: 0, decode: 0, infer: 0, encode: 0, store: 0, ...result.seconds },
    model: `${result.model.name} ${result.model.version}`,
    overlay,
  };
}
