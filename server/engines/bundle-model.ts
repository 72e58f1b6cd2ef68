import type { InstalledBundle } from "#models/index.ts";
import type { EngineOptions } from "./engine-options.ts";
import { type EngineModel, ProcessModel } from "./process-model.ts";

/** A text-prompted model. Words that it does not know are answered as absent, not refused. */
export function createBundleModel(installed: InstalledBundle, options: EngineOptions = {}): EngineModel {
  return new ProcessModel(installed, options, () => {});
}
