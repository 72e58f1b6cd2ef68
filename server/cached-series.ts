import { openSeriesCache, withSeriesCache } from "#server/cache/index.ts";
import type { Dicomweb } from "#server/dicomweb/index.ts";
import type { SeriesSource } from "#server/domain/index.ts";
import type { Config } from "./config.ts";
import type { Logger } from "./logger.ts";

/** The archive's series, by way of the cache on disk where there is one. What is too old in it goes now. */
export function cachedSeries({ cache: limits }: Config, { source, archive }: Dicomweb, logger: Logger): SeriesSource {
  const cache = openSeriesCache(limits);
  void cache.sweep().catch((err) => logger.warn({ event: "cache.not-swept", err }));
  if (limits.maxBytes === 0) return source;
  return withSeriesCache({
    source,
    cache,
    logger,
    instancesOf: (series, options) => archive.listInstances(series, options),
  });
}
