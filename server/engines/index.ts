export { createBundleModel } from "./bundle-model.ts";
export { cardFor } from "./card-for.ts";
export { choosingAmong, ModelElsewhereError } from "./choose-among.ts";
export type {
  EngineLogger,
  EngineOptions,
  ExecutionProvider,
  ProviderStatus,
  RemoteKeys,
  WarmState,
} from "./engine-options.ts";
export { type GraphProcess, type GraphRun, openGraphProcess } from "./graph-process.ts";
export { createLabelsModel } from "./labels-model.ts";
export type { EngineModel, EngineStatus } from "./process-model.ts";
export { createModelRegistry, type EngineRegistry } from "./registry.ts";
export { RemoteModelError } from "./remote/remote-model-error.ts";
export { createRemoteModel } from "./remote-model.ts";
