import type { BundleManifest } from "./contract.ts";

/** The image of a bundle's golden sample, [1, 3, imageSize, imageSize] grey values: its blocks, alike in all channels. */
export function goldenImage({ golden, imageSize }: Pick<BundleManifest, "golden" | "imageSize">): Float32Array {
  const plane = new Float32Array(imageSize * imageSize);
  const rows = golden.blocks.length;
  for (let r = 0; r < imageSize; r++) {
    const blocks = golden.blocks[Math.floor((r * rows) / imageSize)] ?? [];
    for (let c = 0; c < imageSize; c++)
      plane[r * imageSize + c] = blocks[Math.floor((c * blocks.length) / imageSize)] ?? 0;
  }
  const image = new Float32Array(3 * plane.length);
  for (const channel of [0, 1, 2]) image.set(plane, channel * plane.length);
  return image;
}

/**
 * Largest difference between a bundle's golden sample and what its graphs answered for it (one slice, the sample's prompts
 * in their order). More than `golden.tolerance`, or NaN, is not the model that was built.
 */
export function goldenDifference(
  { golden, imageSize, maskStride }: BundleManifest,
  answer: { readonly maskLogits: Float32Array; readonly existenceLogits: Float32Array },
): number {
  const side = imageSize / maskStride;
  const differences = [
    ...golden.existenceLogits.map((logit, n) => Math.abs(logit - (answer.existenceLogits[n] ?? Number.NaN))),
    ...golden.maskLogits.map(({ prompt, row, column, logit }) => {
      const actual = answer.maskLogits[(prompt * side + row) * side + column];
      return Math.abs(logit - (actual ?? Number.NaN));
    }),
  ];
  return Math.max(...differences);
}
