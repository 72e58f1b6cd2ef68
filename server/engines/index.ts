export { createBundleModel } from "./bundle-model.ts";
export type { EngineLogger, EngineOptions, ExecutionProvider, ProviderStatus } from "./engine-options.ts";
export { createLabelsModel } from "./labels-model.ts";
export type { EngineModel, EngineStatus } from "./process-model.ts";
export { createModelRegistry, type EngineRegistry } from "./registry.ts";
