// By its path: the build reads this file too, where the alias #server is not known.
import type { Contract, JsonRoute } from "../../../server/contract/index.ts";

/** The routes that the panel calls; the bundles carry no others. */
export const clientRoutes = [
  "submitJob",
  "listJobs",
  "readJob",
  "jobEvents",
  "cancelJob",
  "readVocabulary",
  "health",
] as const satisfies readonly (keyof Contract)[];

export type ClientRoute = (typeof clientRoutes)[number];

export type JsonClientRoute = { [Name in ClientRoute]: Contract[Name] extends JsonRoute ? Name : never }[ClientRoute];
