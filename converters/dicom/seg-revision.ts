import type { Elements } from "./elements.ts";

/** How a SEG came out of an earlier one. */
export interface SegRevision {
  readonly of: { readonly sopClassUid: string; readonly sopInstanceUid: string };
  /** What was done, in plain words; the first 44 characters are also the content's description. */
  readonly what: string;
  /** Whether a person drew on it: its segments are then not AUTOMATIC but SEMIAUTOMATIC. */
  readonly byPerson: boolean;
}

/**
 * General Reference module (PS3.3 section C.12.4): what it was made of, beside the images. It is not repeated among the series
 * of the Common Instance Reference module, as section C.12.2 would have it: OHIF (3.13) takes whichever of them it has
 * loaded first for the images, and then shows nothing.
 */
export function derivationElements({
  revision,
  derivation,
}: {
  readonly revision?: SegRevision;
  readonly derivation?: string;
}): Elements {
  const words = [revision?.what, derivation].filter(Boolean).join(". ");
  return {
    ...(words !== "" && { DerivationDescription: words.slice(0, LONGEST_TEXT) }),
    ...(revision && { SourceInstanceSequence: [instance(revision.of)] }),
  };
}

/** ST: 1024 characters. */
const LONGEST_TEXT = 1024;

function instance({ sopClassUid, sopInstanceUid }: SegRevision["of"]): Elements {
  return { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid };
}
