import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { maskOnto, openSeg, openSeries, segToLabelVolume } from "#converters/dicom/index.ts";
import { fromColumns, resampleNearest, type VolumeGeometry } from "#converters/geometry/index.ts";
import { unpackBits } from "#converters/mask/index.ts";
import { readNrrd } from "../fixtures/nrrd.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

const inFolder = (file: string) => dataPath("seg_producers", file);
const bytesOf = (file: string) => new Uint8Array(readFileSync(inFolder(file)));

/** The grid of a series' folder, or of one file. */
async function gridOf(series: string): Promise<VolumeGeometry> {
  const files = series.endsWith(".dcm") ? [series] : readdirSync(inFolder(series)).map((name) => `${series}/${name}`);
  return (await openSeries(files.map(bytesOf))).volume.geometry;
}

const CT = "dcmqi/ct-3slice";
const OVERLAPS = [1, 2, 3, 1, 1].map((file, n) => [n + 1, `dcmqi/partial_overlaps-${file}.nrrd`] as const);

/** Which label map of dcmqi's holds which segment, under the same number. */
const CASES: readonly (readonly [
  seg: string,
  series: string,
  maps: readonly (readonly [segment: number, map: string])[],
])[] = [
  ["dcmqi/liver.dcm", CT, [[1, "dcmqi/liver_seg.nrrd"]]],
  ["pydicom_data/liver_j2k.dcm", CT, [[1, "dcmqi/liver_seg.nrrd"]]],
  ["pydicom_data/liver_nonbyte_aligned_rle.dcm", CT, [[1, "dcmqi/liver_seg.nrrd"]]],
  ["dcmqi/partial_overlaps.dcm", CT, OVERLAPS],
  ["dcmqi/sparse-labelmap-noppv.dcm", "dcmqi/24x38x3/image", [[1, "dcmqi/sparse_labelmap_noppv_seg.nrrd"]]],
  ["dcmqi/sparse-labelmap-ppv5.dcm", "dcmqi/24x38x3/image", [[1, "dcmqi/sparse_labelmap_ppv5_seg.nrrd"]]],
  ...["23x38x3", "24x38x3"].flatMap((size) =>
    ["image", "multiframe/mf.dcm"].map(
      (series) =>
        [`dcmqi/${size}/seg/label.seg`, `dcmqi/${size}/${series}`, [[1, `dcmqi/${size}/nrrd/label.nrrd`]]] as const,
    ),
  ),
];

describeWithData("the segments of others, on the series that they were made of, beside dcmqi's own label maps", () => {
  test.each(CASES)("%s on %s has every voxel in its place", async (seg, series, maps) => {
    const [read, grid] = [await openSeg(bytesOf(seg)), await gridOf(series)];
    expect(read.segments.map(({ number }) => number)).toEqual(maps.map(([segment]) => segment));
    for (const [segment, map] of maps) {
      const { size, directions, origin, voxels } = readNrrd(readFileSync(inFolder(map)));
      const geometry = { size, ijkToLps: fromColumns(...directions, origin), frameOfReferenceUid: "" };
      const labels = resampleNearest(voxels, geometry, grid);
      const bits = unpackBits(maskOnto(read, segment, grid).bits, 0, labels.length);
      expect(bits.some((bit) => bit === 1)).toBe(true);
      expect(labels.findIndex((label, n) => (label === segment) !== (bits[n] === 1))).toBe(-1);
      const { voxels: alone } = segToLabelVolume(read, grid).volume;
      if (maps.length === 1) expect(alone.findIndex((label, n) => label !== (labels[n] === segment ? 1 : 0))).toBe(-1);
    }
  });
});
