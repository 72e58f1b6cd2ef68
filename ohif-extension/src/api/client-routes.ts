// By its path: the build reads this file too, where the alias #server is not known.
import type { BytesRoute, Contract, JsonRoute } from "../../../server/contract/index.ts";

/** The routes that the panel calls; the bundles carry no others. */
export const clientRoutes = [
  "submitJob",
  "listJobs",
  "readJob",
  "jobEvents",
  "cancelJob",
  "readProbabilities",
  "cutAgain",
  "submitReview",
  "listReviews",
  "readVocabulary",
  "health",
] as const satisfies readonly (keyof Contract)[];

export type ClientRoute = (typeof clientRoutes)[number];

export type JsonClientRoute = { [Name in ClientRoute]: Contract[Name] extends JsonRoute ? Name : never }[ClientRoute];

export type BytesClientRoute = { [Name in ClientRoute]: Contract[Name] extends BytesRoute ? Name : never }[ClientRoute];
