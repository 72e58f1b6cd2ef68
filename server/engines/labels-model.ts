import { type InstalledLabels, labelTargets } from "#models/index.ts";
import type { EngineOptions } from "./engine-options.ts";
import { askedLabels } from "./label-questions.ts";
import { type EngineModel, ProcessModel } from "./process-model.ts";

/**
 * A network with a fixed list of classes. It gives no probabilities: where they are asked for, a labelled pixel has 255 and
 * any other 0.
 */
export function createLabelsModel(installed: InstalledLabels, options: EngineOptions = {}): EngineModel {
  const targets = labelTargets(installed.manifest);
  return new ProcessModel(installed, options, (prompts) => {
    for (const { text } of prompts) askedLabels(text, targets);
  });
}
