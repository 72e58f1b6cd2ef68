import type { Voxels } from "#converters/geometry/index.ts";
import { type BundleManifest, resolveTarget, windowOfBodyPart } from "#models/index.ts";
import type { Begin } from "../protocol.ts";
import { isWindowed } from "./grey-levels.ts";
import { type ModelVolume, modelVolume } from "./model-volume.ts";

/** One volume as a bundle sees it, by the name of the window that it is seen through. All stand on the same grid. */
export type WindowedVolumes = ReadonlyMap<string, ModelVolume>;

type Windowed = Pick<BundleManifest, "targets" | "windows">;

/**
 * The window that each prompt is asked through, in the order of the prompts: that of the target that it names; for other words
 * that of the body part, and the model's usual one where nothing is known.
 */
export function windowsOf({ volume, prompts, bodyPart }: Begin, { targets, windows }: Windowed): readonly string[] {
  const ofPart = windowOfBodyPart(bodyPart);
  const usual = ofPart !== undefined && Object.hasOwn(windows.presets, ofPart) ? ofPart : windows.default;
  return prompts.map(({ text }) => {
    if (volume.modality !== "CT") return windows.default;
    const resolution = resolveTarget(text, targets);
    return (resolution.kind === "found" ? resolution.target.window : undefined) ?? usual;
  });
}

/** Prompts of one window that are named; more are counted. */
const mostNamed = 5;

/** For people: what was seen through which window; undefined where all was seen through the model's usual one. */
export function windowNote(question: Begin, manifest: Windowed): string | undefined {
  const { presets, default: usual } = manifest.windows;
  const windows = windowsOf(question, manifest);
  const groups = [...Map.groupBy(question.prompts, (_, p) => windows[p]!)];
  if (groups.every(([window]) => window === usual)) return undefined;
  const parts = groups.map(([window, prompts]) => {
    const { width, level } = presets[window]!;
    const who =
      prompts.length > mostNamed ? `${prompts.length} prompts` : prompts.map(({ text }) => `"${text}"`).join(", ");
    return `${window} (${width}/${level} HU) for ${who}`;
  });
  return `CT windows (width/level): ${parts.join("; ")}.`;
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
