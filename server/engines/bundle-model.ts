import type { InstalledBundle } from "#models/index.ts";
import type { EngineOptions } from "./engine-options.ts";
import { knownTarget } from "./known-target.ts";
import { type EngineModel, ProcessModel } from "./process-model.ts";

/** A text-prompted model. Words that it does not know are answered as absent; those outside a closed vocabulary are refused. */
export function createBundleModel(installed: InstalledBundle, options: EngineOptions = {}): EngineModel {
  const { vocabulary, targets } = installed.manifest;
  return new ProcessModel(installed, options, (prompts) => {
    if (vocabulary === "closed") for (const { text } of prompts) knownTarget(text, targets);
  });
}
