import type { VolumeGeometry } from "#converters/geometry/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import type { Answer } from "./findings.ts";

/** The masks that were found as one volume of numbers, on the grid of the series. */
export interface LabelMap {
  readonly geometry: VolumeGeometry;
  /** 0: nothing; otherwise a finding's Segment Number. i fastest. */
  readonly voxels: Uint8Array | Uint16Array;
  readonly labels: readonly { readonly value: number; readonly name: string }[];
  /** Voxels of several masks; the highest number stands there. */
  readonly overlapping: number;
}

/** As segToLabelVolume does it of the SEG of the same answers. */
export function labelMapOf(answers: readonly Answer[], geometry: VolumeGeometry): LabelMap {
  const [ni, nj, nk] = geometry.size;
  const highest = Math.max(0, ...answers.map(({ finding }) => finding.segmentNumber ?? 0));
  const voxels = highest > 255 ? new Uint16Array(ni * nj * nk) : new Uint8Array(ni * nj * nk);
  const slice = new Uint8Array(ni * nj);
  const labels: LabelMap["labels"][number][] = [];
  let overlapping = 0;
  for (const { mask, prompt, finding } of answers) {
    const value = finding.present ? finding.segmentNumber : undefined;
    if (value === undefined) continue;
    labels.push({ value, name: prompt.text });
    for (let k = 0; k < nk; k++) {
      readSlice(mask, k, slice);
      const start = k * slice.length;
      for (let p = 0; p < slice.length; p++) {
        if (!slice[p]) continue;
        if (voxels[start + p] !== 0) overlapping++;
        voxels[start + p] = value;
      }
    }
  }
  return { geometry, voxels, labels, overlapping };
}
