import type { InstalledAzureMl, InstalledOpenInference } from "#models/index.ts";
import type { EngineOptions } from "./engine-options.ts";
import { knownTarget } from "./known-target.ts";
import { type EngineModel, ProcessModel } from "./process-model.ts";

/**
 * A text-prompted model that another machine computes. It has a process here as any other has: that process talks to the
 * other machine, and killing it ends the conversation.
 */
export function createRemoteModel(
  installed: InstalledAzureMl | InstalledOpenInference,
  options: EngineOptions = {},
): EngineModel {
  const { vocabulary, targets } = installed.card;
  return new ProcessModel(installed, options, (prompts) => {
    if (vocabulary === "closed") for (const { text } of prompts) knownTarget(text, targets);
  });
}
