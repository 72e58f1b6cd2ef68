import { UnsupportedImageError } from "#converters/errors.ts";
import type { Vec3 } from "#converters/geometry/index.ts";

/** Bytes of probabilities that one answer may take: four volumes of 512 x 512 x 1,024 voxels. */
const mostProbabilities = 2 ** 30;

export function areTooManyProbabilities(size: Vec3, prompts: number): boolean {
  return size[0] * size[1] * size[2] * prompts > mostProbabilities;
}

/** @throws UnsupportedImageError before the model is asked, where the answer would not fit into memory */
export function refuseTooManyProbabilities(size: Vec3, prompts: number): void {
  if (!areTooManyProbabilities(size, prompts)) return;
  throw new UnsupportedImageError(
    "too-large",
    `Probabilities of ${size.join(" x ")} voxels for ${prompts} prompts are too many. Ask for fewer prompts at a time, or for masks.`,
  );
}
