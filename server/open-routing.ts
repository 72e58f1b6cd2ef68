import type { ModelCard } from "#models/index.ts";
import type { Database } from "#server/database/index.ts";
import type { Dicomweb } from "#server/dicomweb/index.ts";
import { cardFor } from "#server/engines/index.ts";
import { checkDestination, type DestinationParts } from "#server/outbox/index.ts";
import { type Routing, type RoutingOptions, startRouting } from "#server/routing/index.ts";
import type { Config } from "./config.ts";
import type { Logger } from "./logger.ts";
import { authorization } from "./open-archive.ts";

export interface RoutingParts {
  readonly db: Database;
  readonly queue: RoutingOptions["queue"];
  readonly dicomweb: Dicomweb;
  readonly destinations: DestinationParts;
  /** The models of all machines that do jobs. */
  readonly models: () => Promise<readonly ModelCard[]>;
}

/** Routing as the configuration asks for it; absent where it asks for none. */
export function openRouting(
  { routing, pacs, nifti }: Pick<Config, "routing" | "pacs" | "nifti">,
  logger: Logger,
  { db, queue, dicomweb, destinations, models }: RoutingParts,
): Routing | undefined {
  if (routing.kind === "off") return undefined;
  const { pollMs, modalities } = routing;
  return startRouting({
    db,
    queue,
    logger,
    pollMs,
    modalities,
    // Whoever seems to follow the archive beside this process is dead.
    alone: db.kind === "embedded",
    checkDestination: (destination) => checkDestination(destinations, destination),
    models: { cards: models, choose: cardFor },
    hasNiftiFolder: nifti !== undefined,
    from:
      routing.kind === "orthanc"
        ? { kind: "orthanc", url: routing.url, headers: authorization(pacs.credentials) }
        : { ...routing, url: pacs.url, archive: dicomweb.archive },
  });
}
