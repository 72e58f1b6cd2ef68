import { firstText, readPart10 } from "#converters/dicom/index.ts";
import { nameOfInstances, type SeriesRef, type SeriesSource } from "#server/domain/index.ts";
import { hashUid, type Logger } from "../logger.ts";
import type { CacheEntry, SeriesCache } from "./series-cache.ts";
import { DamagedSeriesFileError } from "./series-file.ts";

export interface CachedSourceParts {
  readonly source: SeriesSource;
  readonly cache: SeriesCache;
  readonly logger: Logger;
  /** SOP Instance UIDs of a series, as the archive lists them now. */
  instancesOf(series: SeriesRef, options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
}

/**
 * The same source; instances that were fetched once come from the cache as long as the archive lists the same ones. What
 * goes wrong with the cache is logged and costs a fetch, never a job.
 */
export function withSeriesCache({ source, cache, logger, instancesOf }: CachedSourceParts): SeriesSource {
  async function* instances(series: SeriesRef, options: { readonly signal: AbortSignal }): AsyncGenerator<Uint8Array> {
    const log = logger.child({ seriesHash: hashUid(series.seriesInstanceUid) });
    const listed = await instancesOf(series, options);
    const key = nameOfInstances(listed);
    const given = new Set<string>();
    try {
      const held = await cache.read(key);
      for await (const instance of held ?? []) {
        given.add(uidOf(instance));
        yield instance;
        options.signal.throwIfAborted();
      }
      if (held) {
        log.info({ event: "cache.hit", instances: given.size });
        return;
      }
    } catch (error) {
      if (!(error instanceof DamagedSeriesFileError) && !isSystemError(error)) throw error;
      log.warn({ event: "cache.damaged", err: error });
      await cache.remove(key).catch(() => {});
    }
    log.info({ event: "cache.miss", instances: listed.length });
    yield* fetched(series, options, { log, key, listed, given });
  }

  /** From the archive, and into the cache on the way; without those that were given already. */
  async function* fetched(
    series: SeriesRef,
    options: { readonly signal: AbortSignal },
    { log, key, listed, given }: { log: Logger; key: string; listed: readonly string[]; given: ReadonlySet<string> },
  ): AsyncGenerator<Uint8Array> {
    let entry: CacheEntry | undefined;
    const giveUp = async (error: unknown) => {
      log.warn({ event: "cache.not-written", err: error });
      await entry?.discard().catch(() => {});
      entry = undefined;
    };
    try {
      entry = await cache.begin(key).catch((error) => giveUp(error).then(() => undefined));
      const came = new Set<string>();
      for await (const instance of source.instances(series, options)) {
        const uid = uidOf(instance);
        came.add(uid);
        await entry?.add(instance).catch(giveUp);
        if (!given.has(uid)) yield instance;
      }
      if (entry && came.size === listed.length && listed.every((uid) => came.has(uid))) {
        const whole = entry;
        entry = undefined;
        await whole.commit().catch(async (error) => {
          log.warn({ event: "cache.not-written", err: error });
          await whole.discard().catch(() => {});
        });
      }
    } finally {
      await entry?.discard().catch(() => {});
    }
  }

  return {
    describe: (series, options) => source.describe(series, options),
    instances,
    revision: async (series, options) => nameOfInstances(await instancesOf(series, options)),
  };
}

function uidOf(instance: Uint8Array): string {
  return firstText(readPart10(instance, { stopBeforePixels: true }).dataSet, "SOPInstanceUID") ?? "";
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
