import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { z } from "zod";
import { UnsupportedImageError } from "#converters/errors.ts";
import type { Vec3, Voxels } from "#converters/geometry/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { RemoteModelError } from "../remote/remote-model-error.ts";

/** The endpoint's answer on the grid that was sent, i fastest. */
export type EndpointAnswer =
  /** 0 is background, n the n-th prompt. */
  | { readonly form: "labels"; readonly labels: Voxels }
  /** One volume for each prompt. */
  | { readonly form: "probabilities"; readonly volumes: readonly Voxels[] };

const Rows = z.tuple([z.object({ nifti_file: z.string() })]);
const NiftiFile = z.object({ data: z.base64() });

/** Bytes of a voxel at most (float64), and what a header and its extensions may need. */
const MOST_BYTES = 8;
const HEADER_ROOM = 2 ** 20;

/** A longer answer is no answer to this question. */
export function longestAnswer(size: Vec3, prompts: number): number {
  const file = size[0] * size[1] * size[2] * prompts * MOST_BYTES + HEADER_ROOM;
  // A JavaScript string holds no more than 2^29 characters.
  return Math.min(Math.ceil(file * 1.4), 500_000_000);
}

/**
 * `[{"nifti_file": "{\"data\": \"<base64 of a NIfTI>\"}"}]` -> labels where all values are integers up to the number of
 * prompts, else probabilities.
 * @throws RemoteModelError "wrong-protocol", "cut-off", "wrong-shape"
 */
export async function readAnswer(body: Buffer, size: Vec3, prompts: number): Promise<EndpointAnswer> {
  const file = await fileOf(body, size, prompts);
  const volumes = volumesOf(file, size, prompts);
  const [first] = volumes;
  if (volumes.length > 1 || !first) return { form: "probabilities", volumes };
  if (areLabels(first, prompts)) return { form: "labels", labels: first };
  if (prompts === 1) return { form: "probabilities", volumes };
  throw wrongShape(
    `one volume that is no label map of ${prompts} prompts: it cannot be told which prompt it answers. Ask for one prompt at a time`,
  );
}

async function fileOf(body: Buffer, size: Vec3, prompts: number): Promise<Uint8Array> {
  const bytes = Buffer.from(parseDocument(body), "base64");
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const maxOutputLength = size[0] * size[1] * size[2] * prompts * MOST_BYTES + HEADER_ROOM;
  return promisify(gunzip)(bytes, { maxOutputLength }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ERR_BUFFER_TOO_LARGE") throw wrongShape("more voxels than were sent", cause);
    throw cutOff(cause);
  });
}

function parseDocument(body: Buffer): string {
  try {
    const [row] = Rows.parse(JSON.parse(body.toString("utf8")));
    return NiftiFile.parse(JSON.parse(row.nifti_file)).data;
  } catch (cause) {
    throw new RemoteModelError(
      "wrong-protocol",
      "The endpoint's answer is not of the form that MedImageParse 3D answers in. Check that the address in the manifest is this model's.",
      { cause },
    );
  }
}

function volumesOf(file: Uint8Array, size: Vec3, prompts: number): readonly Voxels[] {
  const maxVoxels = size[0] * size[1] * size[2] * prompts;
  const volume = (volumeIndex?: number) => {
    const { geometry, voxels } = readNifti(file, { maxVoxels, ...(volumeIndex !== undefined && { volumeIndex }) });
    if (geometry.size.some((length, axis) => length !== size[axis])) {
      throw wrongShape(`${geometry.size.join(" x ")} voxels where ${size.join(" x ")} were sent`);
    }
    return voxels;
  };
  try {
    return [volume()];
  } catch (cause) {
    if (!(cause instanceof UnsupportedImageError)) throw cause;
    const { reason } = cause;
    if (reason === "truncated") throw cutOff(cause);
    if (reason !== "unsupported-dimensions" || prompts === 1) throw wrongShape(`no image (${reason})`, cause);
  }
  // Several volumes: one for each prompt.
  try {
    return Array.from({ length: prompts }, (_, prompt) => volume(prompt));
  } catch (cause) {
    if (cause instanceof UnsupportedImageError) throw wrongShape(`other than ${prompts} volumes`, cause);
    throw cause;
  }
}

function areLabels(voxels: Voxels, prompts: number): boolean {
  for (let n = 0; n < voxels.length; n++) {
    const value = voxels[n]!;
    if (!(value >= 0 && value <= prompts && Number.isInteger(value))) return false;
  }
  return true;
}

function cutOff(cause: unknown): RemoteModelError {
  return new RemoteModelError(
    "cut-off",
    "The endpoint's answer ends before it is whole, or is damaged. Ask again; if it happens again, look at the endpoint's log.",
    { cause },
  );
}

function wrongShape(what: string, cause?: unknown): RemoteModelError {
  return new RemoteModelError(
    "wrong-shape",
    `The endpoint answered with ${what}. Check that the address in the manifest is MedImageParse 3D's.`,
    { cause },
  );
}
