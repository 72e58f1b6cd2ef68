export { OrthancNotInstalledError, OrthancStartError } from "./errors.ts";
export { freePort } from "./free-port.ts";
export { type Orthanc, type OrthancOptions, startOrthanc } from "./start-orthanc.ts";
