/** One SEG of a folder of images and a label map of bytes on their grid, by our writer or by dcmqi, in a process of its own. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
// As the command that converts does: the folder's face would load all that reads and writes all else.
import { codesForPrompt } from "#converters/dicom/codes.ts";
import { openSeries } from "#converters/dicom/decode-series.ts";
import { encodeSeg } from "#converters/dicom/encode-seg.ts";
import { column, type Vec3, type VolumeGeometry, voxelSizeMm } from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume } from "#converters/mask/index.ts";
import { dicomFilesIn } from "../server/dicom-folder.ts";
import { importPeer } from "./peers.ts";

const PIECE_BYTES = 1 << 18;
const [way = "", folder = "", labelFile = "", segments = "1", output = ""] = process.argv.slice(2);
const count = Number(segments);
await (way === "ours" ? ours() : dcmqi());

async function ours(): Promise<void> {
  const { volume, header } = await openSeries(dicomFilesIn(folder));
  const masks = masksOf(labelFile, volume.geometry.size);
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

/** Read piece by piece: memory that is written for the first time takes longer than all that is done with it. */
function masksOf(file: string, size: Vec3): readonly BitVolume[] {
  const masks = Array.from({ length: count }, () => createBitVolume(size));
  const bits = masks.map((mask) => mask.bits);
  const labels = new Uint8Array(PIECE_BYTES);
  const quads = new Uint32Array(labels.buffer);
  const descriptor = openSync(file, "r");
  for (let start = 0; ; start += PIECE_BYTES) {
    const held = readSync(descriptor, labels, 0, PIECE_BYTES, start);
    if (held === 0) break;
    for (let q = 0; q < held >> 2; q++) {
      if (quads[q] === 0) continue;
      for (let n = q * 4; n < q * 4 + 4; n++) {
        if (labels[n]! > 0) bits[labels[n]! - 1]![(start + n) >>> 3]! |= 1 << (n & 7);
      }
    }
  }
  closeSync(descriptor);
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
  const labels = readFileSync(labelFile);
  const options = { refDicomSeries: files, skipEmptySlices: true };
  await writeSegmentationNode(itkImage(geometry, new Int16Array(labels)), meta, output, options);
}
