import { type DataSet, firstText, numbers, texts } from "./data-set.ts";
import type { Elements } from "./elements.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";

/** What is known of a lossy compression that pixels once went through (PS3.3 section C.7.6.1.1.5); results inherit it. */
export interface LossyCompression {
  readonly ratios?: readonly number[];
  /** Defined terms: "ISO_10918_1" (JPEG), "ISO_14495_1" (JPEG-LS), "ISO_15444_1" (JPEG 2000), "ISO_15444_15" (HTJ2K). */
  readonly methods?: readonly string[];
}

/** These lose something whatever the header says. */
const ALWAYS_LOSSY: Readonly<Record<string, string>> = {
  [TRANSFER_SYNTAX.jpegBaseline]: "ISO_10918_1",
  [TRANSFER_SYNTAX.jpegExtended]: "ISO_10918_1",
};

/** These may be lossless all the same: the header's "00" is believed. */
const MAY_BE_LOSSY: Readonly<Record<string, string>> = {
  [TRANSFER_SYNTAX.jpegLsNearLossless]: "ISO_14495_1",
  [TRANSFER_SYNTAX.jpeg2000]: "ISO_15444_1",
  [TRANSFER_SYNTAX.htj2k]: "ISO_15444_15",
};

/** Undefined where an image never was compressed with loss, as far as it is known. */
export function lossyCompressionOf(dataSet: DataSet, transferSyntaxUid: string): LossyCompression | undefined {
  const declared = firstText(dataSet, "LossyImageCompression");
  const method = ALWAYS_LOSSY[transferSyntaxUid] ?? (declared === "00" ? undefined : MAY_BE_LOSSY[transferSyntaxUid]);
  if (declared !== "01" && method === undefined) return undefined;
  const ratios = numbers(dataSet, "LossyImageCompressionRatio").filter((ratio) => ratio > 0);
  const stated = texts(dataSet, "LossyImageCompressionMethod").filter((term) => TERM.test(term));
  const methods = stated.length > 0 ? stated : method === undefined ? [] : [method];
  return { ...(ratios.length > 0 && { ratios }), ...(methods.length > 0 && { methods }) };
}

/** CS, PS3.5 section 6.2. */
const TERM = /^[A-Z0-9_ ]{1,16}$/;

/** Of a volume whose slices went through these: the methods of the first, and the largest ratio of each step. */
export function strongestCompression(
  slices: readonly { readonly lossyCompression?: LossyCompression }[],
): LossyCompression | undefined {
  const lossy = slices.flatMap(({ lossyCompression }) => (lossyCompression === undefined ? [] : [lossyCompression]));
  const [first] = lossy;
  if (first === undefined) return undefined;
  const steps = first.ratios?.length;
  const comparable = lossy.every(({ ratios }) => ratios?.length === steps);
  const ratios = comparable
    ? first.ratios?.map((_, n) => lossy.reduce((most, own) => Math.max(most, own.ratios![n]!), 0))
    : undefined;
  return { ...(ratios && { ratios }), ...(first.methods && { methods: first.methods }) };
}

/** The attributes of a result; "00" where its source lost nothing. */
export function lossyElements(lossy: LossyCompression | undefined): Elements {
  return {
    LossyImageCompression: lossy === undefined ? "00" : "01",
    ...(lossy?.ratios && { LossyImageCompressionRatio: lossy.ratios }),
    ...(lossy?.methods && { LossyImageCompressionMethod: lossy.methods }),
  };
}
