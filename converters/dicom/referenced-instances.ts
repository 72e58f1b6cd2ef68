import type { SourceInstance } from "../geometry/index.ts";
import type { Elements } from "./elements.ts";

/** Items that refer to the sources (SOP Instance Reference macro, PS3.3 section 10.8), each instance once. */
export function referencedInstances(sources: readonly SourceInstance[]): readonly Elements[] {
  const classes = new Map(sources.map(({ sopInstanceUid, sopClassUid }) => [sopInstanceUid, sopClassUid]));
  return [...classes].map(([ReferencedSOPInstanceUID, ReferencedSOPClassUID]) => ({
    ReferencedSOPClassUID,
    ReferencedSOPInstanceUID,
  }));
}
