import type { Voxels } from "#converters/geometry/index.ts";
import { type BundleManifest, resolveTarget } from "#models/index.ts";
import type { Begin } from "../protocol.ts";
import { isWindowed } from "./grey-levels.ts";
import { type ModelVolume, modelVolume } from "./model-volume.ts";

/** One volume as a bundle sees it, by the name of the window that it is seen through. All stand on the same grid. */
export type WindowedVolumes = ReadonlyMap<string, ModelVolume>;

/** The window that each prompt is asked through, in the order of the prompts. */
export function windowsOf(
  { volume, prompts }: Begin,
  { targets, windows }: Pick<BundleManifest, "targets" | "windows">,
): readonly string[] {
  return prompts.map(({ text }) => {
    const resolution = volume.modality === "CT" ? resolveTarget(text, targets) : undefined;
    return (resolution?.kind === "found" ? resolution.target.window : undefined) ?? windows.default;
  });
}

/**
 * The volume through every window that the question needs, those in `known` as they are. Where no window changes anything
 * (grey levels, all but CT) there is one picture for all of them.
 */
export function windowedVolumes(
  voxels: Voxels,
  question: Begin,
  manifest: BundleManifest,
  known: WindowedVolumes,
): WindowedVolumes {
  const needed = new Set(windowsOf(question, manifest));
  if (isWindowed(voxels, question.volume)) {
    const view = (window: string) => known.get(window) ?? modelVolume(voxels, question.volume, manifest, window);
    return new Map([...needed].map((window) => [window, view(window)]));
  }
  const [first] = known.values();
  const only = first ?? modelVolume(voxels, question.volume, manifest, manifest.windows.default);
  return new Map([...needed].map((window) => [window, only]));
}
