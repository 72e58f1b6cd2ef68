export { withSeriesCache } from "./cached-source.ts";
export { type CacheContents, type CacheLimits, openSeriesCache, type SeriesCache } from "./series-cache.ts";
