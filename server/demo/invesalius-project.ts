import { gunzipSync } from "node:zlib";
import { parse } from "plist";
import { z } from "zod";
import { UnsupportedImageError } from "#converters/errors.ts";
import { fromColumns, type Volume } from "#converters/geometry/index.ts";
import { tarEntries } from "./tar.ts";

const count = z.number().int().positive().max(4096);
const millimetres = z.number().positive();

const Project = z.object({
  modality: z.literal("CT"),
  /** 1: axial slices. */
  orientation: z.literal(1),
  spacing: z.tuple([millimetres, millimetres, millimetres]),
  matrix: z.object({ dtype: z.literal("int16"), filename: z.string(), shape: z.tuple([count, count, count]) }),
});

/** An unpacked project is at most this large; Debian's example has 45 MB. */
const mostBytes = 512 << 20;

/**
 * The CT volume of an InVesalius 3 project (.inv3): a gzipped tar with a property list and the voxels as int16 HU.
 * InVesalius keeps slices from the feet to the head and the columns of DICOM's images, but turns the order of the rows
 * (as VTK does), so i runs to the patient's left, j to the front and k to the head. Positions are not kept: the centre
 * of the volume is made the origin.
 * @throws UnsupportedImageError
 */
export function readInvesaliusProject(file: Uint8Array): Volume<Int16Array> {
  const files = new Map<string, Uint8Array>();
  for (const { name, content } of tarEntries(gunzip(file))) files.set(name.slice(name.lastIndexOf("/") + 1), content);
  const { spacing, matrix } = readProject(files.get("main.plist"));
  const [nk, nj, ni] = matrix.shape;
  const bytes = files.get(matrix.filename);
  if (bytes?.length !== ni * nj * nk * Int16Array.BYTES_PER_ELEMENT) {
    throw new UnsupportedImageError("truncated", "The InVesalius project does not hold as many voxels as it says.");
  }
  const [x, y, z] = spacing;
  const origin = [(-x * (ni - 1)) / 2, (y * (nj - 1)) / 2, (-z * (nk - 1)) / 2] as const;
  return {
    geometry: {
      size: [ni, nj, nk],
      ijkToLps: fromColumns([x, 0, 0], [0, -y, 0], [0, 0, z], origin),
      frameOfReferenceUid: "",
    },
    voxels: new Int16Array(bytes.slice().buffer),
    unit: "HU",
    modality: "CT",
    sources: [],
  };
}

function gunzip(file: Uint8Array): Uint8Array {
  try {
    const { buffer, byteOffset, byteLength } = gunzipSync(file, { maxOutputLength: mostBytes });
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw new UnsupportedImageError("corrupt-gzip", "The InVesalius project cannot be unpacked.", { cause });
  }
}

function readProject(propertyList: Uint8Array | undefined): z.infer<typeof Project> {
  if (!propertyList) throw new UnsupportedImageError("invalid-header", "The archive holds no InVesalius project.");
  try {
    return Project.parse(parse(new TextDecoder().decode(propertyList)));
  } catch (cause) {
    throw new UnsupportedImageError(
      "invalid-header",
      "The InVesalius project is not an axial CT of 16-bit voxels with a known size and spacing.",
      { cause },
    );
  }
}
