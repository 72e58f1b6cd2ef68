import { type Dicomweb, openDicomweb } from "#server/dicomweb/index.ts";
import type { Config, PacsCredentials } from "./config.ts";
import type { Logger } from "./logger.ts";

/** The archive that the configuration names. */
export function openArchive({ pacs }: Pick<Config, "pacs">, logger: Logger): Dicomweb {
  const { timeouts } = pacs;
  return openDicomweb({
    url: pacs.url,
    headers: authorization(pacs.credentials),
    timeouts,
    logger,
  });
}

/** The header that says who asks. */
export function authorization(credentials: PacsCredentials): Readonly<Record<string, string>> {
  switch (credentials.kind) {
    case "none":
      return {};
    case "bearer":
      return { Authorization: `Bearer ${credentials.token}` };
    case "basic": {
      const pair = Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64");
      return { Authorization: `Basic ${pair}` };
    }
    default:
      return credentials satisfies never;
  }
}
