import type { SliceStack, Volume } from "#converters/geometry/index.ts";
import type { ModelCard } from "#models/index.ts";
import type { Ports, SegmentationModel } from "#server/domain/index.ts";

/** What went through the ports in one run. */
export interface Seen {
  geometry?: Volume["geometry"];
  /** Of a resampled series: what is stored lies on these. */
  stack?: SliceStack;
  modality?: string;
  instances?: number;
  card?: ModelCard;
  /** Objects that were stored, or would have been. */
  readonly stored: Uint8Array[];
}

/** The same ports for one run; what goes through them is seen. @param keeps false: nothing reaches the archive */
export function watchedPorts(ports: Ports, { keeps }: { readonly keeps: boolean }): { ports: Ports; seen: Seen } {
  const seen: Seen = { stored: [] };
  const watched = (model: SegmentationModel): SegmentationModel => ({
    card: model.card,
    segment: (volume, ...rest) => {
      seen.geometry = volume.geometry;
      seen.modality = volume.modality;
      if (volume.stack) seen.stack = volume.stack;
      seen.instances = new Set((volume.stack ?? volume).sources.map(({ sopInstanceUid }) => sopInstanceUid)).size;
      seen.card = model.card;
      return model.segment(volume, ...rest);
    },
    [Symbol.asyncDispose]: async () => {},
  });
  return {
    seen,
    ports: {
      ...ports,
      models: {
        cards: () => ports.models.cards(),
        choose: async (query) => watched(await ports.models.choose(query)),
        [Symbol.asyncDispose]: async () => {},
      },
      sink: {
        store: async (part10, options) => {
          seen.stored.push(part10);
          return keeps ? ports.sink.store(part10, options) : { sopClassUid: "", sopInstanceUid: "" };
        },
      },
    },
  };
}
