export { ViewerUnavailableError } from "./errors.ts";
export { startViewer, type Viewer, type ViewerOptions } from "./start-viewer.ts";
