/** One SEG of a folder of images and a label map of bytes on their grid, by our writer or by dcmqi, in a process of its own. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codesForPrompt, encodeSeg, openSeries } from "#converters/dicom/index.ts";
import { column, type Vec3, type VolumeGeometry, voxelSizeMm } from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume } from "#converters/mask/index.ts";
import { dicomFilesIn } from "../server/dicom-folder.ts";
import { importPeer } from "./peers.ts";

const [way = "", folder = "", labelFile = "", segments = "1", output = ""] = process.argv.slice(2);
const count = Number(segments);
await (way === "ours" ? ours() : dcmqi());

async function ours(): Promise<void> {
  const { volume, header } = await openSeries(dicomFilesIn(folder));
  const masks = masksOf(new Uint8Array(readFileSync(labelFile)), volume.geometry.size);
  const file = encodeSeg({
    header,
    geometry: volume.geometry,
    sources: volume.sources,
    segments: masks.map((mask, s) => ({
      label: `Segment ${s + 1}`,
      description: `Segment ${s + 1}`,
      codes: codesForPrompt("liver"),
      tracking: { id: `segment ${s + 1}`, uid: `2.25.30${s}` },
      mask,
    })),
    seriesDescription: "Bench",
    algorithm: { name: "Bench", version: "1", family: "density-rules" },
    at: new Date("2026-01-02T03:04:05Z"),
    uids: { series: "2.25.1", instance: "2.25.2", dimensionOrganization: "2.25.3" },
  });
  writeFileSync(output, file);
}

function masksOf(labels: Uint8Array, size: Vec3): readonly BitVolume[] {
  const masks = Array.from({ length: count }, () => createBitVolume(size));
  const bits = masks.map((mask) => mask.bits);
  const quads = new Uint32Array(labels.buffer, labels.byteOffset, labels.length >> 2);
  for (let q = 0; q < quads.length; q++) {
    if (quads[q] === 0) continue;
    for (let n = q * 4; n < q * 4 + 4; n++) if (labels[n]! > 0) bits[labels[n]! - 1]![n >>> 3]! |= 1 << (n & 7);
  }
  return masks;
}

/** itk-wasm's image, without its class: the pipeline reads the fields alone. */
function itkImage({ ijkToLps, size }: VolumeGeometry, data: Int16Array) {
  const spacing = voxelSizeMm(ijkToLps);
  const directions = ([0, 1, 2] as const).map((c) => column(ijkToLps, c).map((x) => x / spacing[c]));
  return {
    imageType: { dimension: 3, componentType: "int16", pixelType: "Scalar", components: 1 },
    name: "labels",
    origin: [...column(ijkToLps, 3)],
    spacing: [...spacing],
    direction: new Float64Array([0, 1, 2].flatMap((row) => directions.map((axis) => axis[row]!))),
    size: [...size],
    metadata: new Map(),
    data,
  };
}

async function dcmqi(): Promise<void> {
  const { writeSegmentationNode } = (await importPeer("@itk-wasm/dicom")) as {
    readonly writeSegmentationNode: (
      image: unknown,
      meta: unknown,
      output: string,
      options: { readonly refDicomSeries: readonly string[]; readonly skipEmptySlices: boolean },
    ) => Promise<unknown>;
  };
  // The grid is the bench's own: to read it from the files again would be our time, not dcmqi's.
  const geometry: VolumeGeometry = JSON.parse(readFileSync(`${labelFile}.json`, "utf8"));
  const code = (CodeValue: string, CodeMeaning: string) => ({ CodeValue, CodingSchemeDesignator: "SCT", CodeMeaning });
  const meta = {
    ContentCreatorName: "Bench^Bench",
    ClinicalTrialSeriesID: "Session1",
    ClinicalTrialTimePointID: "1",
    SeriesDescription: "Bench",
    SeriesNumber: "300",
    InstanceNumber: "1",
    BodyPartExamined: "ABDOMEN",
    segmentAttributes: [
      Array.from({ length: count }, (_, s) => ({
        labelID: s + 1,
        SegmentLabel: `Segment ${s + 1}`,
        SegmentDescription: `Segment ${s + 1}`,
        SegmentAlgorithmType: "AUTOMATIC",
        SegmentAlgorithmName: "Bench",
        SegmentedPropertyCategoryCodeSequence: code("123037004", "Anatomical Structure"),
        SegmentedPropertyTypeCodeSequence: code("10200004", "Liver"),
        recommendedDisplayRGBValue: [221, 130, 101],
      })),
    ],
  };
  const files = readdirSync(folder).map((name) => join(folder, name));
  const labels = new Uint8Array(readFileSync(labelFile));
  const options = { refDicomSeries: files, skipEmptySlices: true };
  await writeSegmentationNode(itkImage(geometry, new Int16Array(labels)), meta, output, options);
}
