import type { SeriesRef } from "#server/domain/index.ts";

/** What is known of a series before it is fetched. */
export interface SeriesFacts {
  readonly series: SeriesRef;
  readonly modality: string;
  readonly sliceCount: number;
  /** The same instances give the same text, others another one. */
  readonly instances: string;
  /** Implementation Class UID (0002,0012) of the first instance's file. */
  readonly implementationClassUid?: string;
  /** Attributes of the first instance by keyword, text as it stands there; sequences are left out. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
  /** AE titles of whoever sent it, and of whom it was sent to. */
  readonly sendingAe?: string;
  readonly calledAe?: string;
}

/** Names in rules that are no DICOM attributes. */
export const computedTags = ["SliceCount", "SliceSpacing", "SendingAE", "CalledAE"] as const;

/** The values that a rule's tag stands for; none where the series does not have it. */
export function valuesOf(tag: string, facts: SeriesFacts): readonly string[] {
  const { tags, sliceCount, sendingAe, calledAe } = facts;
  switch (tag) {
    case "SliceCount":
      return [String(sliceCount)];
    case "SliceSpacing":
      return tags.get("SpacingBetweenSlices") ?? tags.get("SliceThickness") ?? [];
    case "SendingAE":
      return sendingAe === undefined ? [] : [sendingAe];
    case "CalledAE":
      return calledAe === undefined ? [] : [calledAe];
    default:
      return tags.get(tag) ?? [];
  }
}
