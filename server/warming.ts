import { ModelUnavailableError } from "#server/domain/index.ts";
import type { WarmState } from "#server/engines/index.ts";

/** How far the models are that are to be warm, as the thread that does jobs tells. */
export function watchWarming(names: readonly string[]) {
  const states = new Map<string, WarmState>(names.map((model) => [model, { model, state: "loading" }]));
  return {
    heard: (state: WarmState) => void states.set(state.model, state),
    /** What is warm. @throws ModelUnavailableError that names what is not, and why */
    check(): string {
      const all = [...states.values()];
      const failed = all.find(({ state }) => state === "failed");
      if (failed) throw new ModelUnavailableError(`${failed.model} is not warm: ${failed.why}`, { retryable: false });
      const loading = all.filter(({ state }) => state === "loading").map(({ model }) => model);
      if (loading.length > 0) throw new ModelUnavailableError(`being loaded: ${loading.join(", ")}`);
      return all.map(({ model }) => model).join(", ");
    },
  };
}
