import type { Database } from "#server/database/index.ts";
import { type Dicomweb, openDicomweb } from "#server/dicomweb/index.ts";
import {
  type DestinationParts,
  forgetUnwantedNotices,
  sendNotices,
  sendOn,
  wantNotices,
} from "#server/outbox/index.ts";
import type { Config } from "./config.ts";
import type { Logger } from "./logger.ts";
import { authorization } from "./open-archive.ts";

const HOUR_MS = 3_600_000;
/** Servers that share a database need not all have a receiver, nor be there at the same time. */
const UNWANTED_MS = 7 * 24 * HOUR_MS;

export interface OpenedOutbox extends AsyncDisposable {
  /** Where results can be sent on to. */
  readonly destinations: DestinationParts;
}

/** Sends results on, and notices out, until disposed. */
export async function openOutbox(
  config: Pick<Config, "destinations" | "notices" | "routing" | "pacs">,
  { db, logger, archive }: { readonly db: Database; readonly logger: Logger; readonly archive: Dicomweb["archive"] },
): Promise<OpenedOutbox> {
  const { notices, routing, pacs } = config;
  await using opening = new AsyncDisposableStack();
  const dicomweb = new Map(
    Object.entries(config.destinations).map(([name, { url, credentials }]) => {
      const headers = authorization(credentials);
      const setting = `PARSE3D_DESTINATIONS (${name})`;
      return [name, opening.use(openDicomweb({ url, headers, timeouts: pacs.timeouts, logger, setting }))] as const;
    }),
  );
  const url = routing.kind === "off" ? undefined : routing.url;
  const headers = authorization(pacs.credentials);
  const destinations = { archive, dicomweb, ...(url !== undefined && { orthanc: { url, headers } }) };
  opening.use(sendOn({ db, logger, parts: destinations }));
  const heedWish = () => {
    if (notices.kind === "webhook") return wantNotices(db, notices.jobs);
    // Nobody else has an embedded database.
    return forgetUnwantedNotices(db, db.kind === "embedded" ? 0 : UNWANTED_MS);
  };
  await heedWish();
  const warn = (err: unknown) => logger.warn({ event: "outbox.wish-not-noted", err });
  const timer = setInterval(() => void heedWish().catch(warn), HOUR_MS).unref();
  opening.defer(() => clearInterval(timer));
  if (notices.kind === "webhook") {
    const { url: to, secret, uids } = notices;
    opening.use(sendNotices({ db, logger, url: to, secret, uids }));
  }
  const opened = opening.move();
  return { destinations, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
