import type { Database } from "#server/database/index.ts";
import type { Dicomweb } from "#server/dicomweb/index.ts";
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
}

/** Routing as the configuration asks for it; absent where it asks for none. */
export function openRouting(
  { routing, pacs }: Pick<Config, "routing" | "pacs">,
  logger: Logger,
  { db, queue, dicomweb, destinations }: RoutingParts,
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
    from:
      routing.kind === "orthanc"
        ? { kind: "orthanc", url: routing.url, headers: authorization(pacs.credentials) }
        : { ...routing, url: pacs.url, archive: dicomweb.archive },
  });
}
