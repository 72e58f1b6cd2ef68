import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { column, fromColumns, type VolumeGeometry } from "#converters/geometry/index.ts";
import { niftiParts } from "#converters/nifti/index.ts";

/**
 * An image as it leaves this machine: base64 of a gzipped NIfTI of grey levels. Its header holds size, voxel size and axes;
 * no text, no extension, no time, and not where the patient lay in the scanner.
 */
export async function encodeImage(levels: Uint8Array, { size, ijkToLps }: VolumeGeometry): Promise<Buffer> {
  const axes = ([0, 1, 2] as const).map((axis) => column(ijkToLps, axis)) as [Axis, Axis, Axis];
  const geometry = { size, ijkToLps: fromColumns(...axes, [0, 0, 0]), frameOfReferenceUid: "" };
  const [header, voxels] = niftiParts({ geometry, voxels: levels }, { description: "" });
  const file = Buffer.concat([header, voxels]);
  const zipped = await promisify(gzip)(file, { level: constants.Z_BEST_SPEED });
  return Buffer.from(zipped.toString("base64"), "latin1");
}

type Axis = ReturnType<typeof column>;

/** What the endpoint takes: one row of an image and its prompts. */
export function requestBody(image: Uint8Array, prompts: readonly string[]): readonly Uint8Array[] {
  const start = '{"input_data":{"columns":["image","text"],"index":[0],"data":[["';
  return [Buffer.from(start), image, Buffer.from(`",${JSON.stringify(prompts.join(" & "))}]]}}`)];
}

/** The endpoint splits at `&`, so a prompt cannot hold one: "white & grey matter" is sent as "white and grey matter". */
export function withoutAmpersand(prompt: string): string {
  return prompt.replace(/\s*&+\s*/g, " and ").trim();
}
