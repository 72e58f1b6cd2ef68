export type { ReadinessCheck } from "./health.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
export type { InstalledModels } from "./models.ts";
export { openApiDocument } from "./openapi.ts";
export { type HttpServer, type HttpServerParts, startHttpServer } from "./server.ts";
