export { refuseTakenPort } from "./listen.ts";
export { createMetrics } from "./metrics.ts";
export { openApiDocument } from "./openapi.ts";
export { type HttpServer, type HttpServerParts, startHttpServer } from "./server.ts";
