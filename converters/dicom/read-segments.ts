import type { CodedConcept, SegmentCodes } from "./coded-concept.ts";
import { type DataSet, firstNumber, firstText, items, numbers } from "./data-set.ts";

export interface DecodedSegment {
  readonly number: number;
  readonly label: string;
  readonly description?: string;
  /** Absent where the object has no category or no type. */
  readonly codes?: Omit<SegmentCodes, "confidence">;
  readonly algorithmName?: string;
  readonly algorithmParameters?: string;
  readonly tracking?: { readonly id: string; readonly uid: string };
  /** L, a and b, 0 to 65535 each. */
  readonly colourLab?: readonly [number, number, number];
}

/** The Segment Sequence (PS3.3 section C.8.20.2), by number, without a label map's background (number 0). */
export function readSegments(dataSet: DataSet): readonly DecodedSegment[] {
  return items(dataSet, "SegmentSequence")
    .map(readSegment)
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
}

function readSegment(item: DataSet): DecodedSegment {
  const number = firstNumber(item, "SegmentNumber") ?? 0;
  const description = firstText(item, "SegmentDescription");
  const algorithmName = firstText(item, "SegmentAlgorithmName");
  const [algorithm] = items(item, "SegmentationAlgorithmIdentificationSequence");
  const algorithmParameters = algorithm && firstText(algorithm, "AlgorithmParameters");
  const [id, uid] = [firstText(item, "TrackingID"), firstText(item, "TrackingUID")];
  const [l, a, b] = numbers(item, "RecommendedDisplayCIELabValue");
  const codes = readCodes(item);
  return {
    number,
    label: firstText(item, "SegmentLabel") ?? `Segment ${number}`,
    ...(description !== undefined && { description }),
    ...(codes && { codes }),
    ...(algorithmName !== undefined && { algorithmName }),
    ...(algorithmParameters !== undefined && { algorithmParameters }),
    ...(id !== undefined && uid !== undefined && { tracking: { id, uid } }),
    ...(l !== undefined && a !== undefined && b !== undefined && { colourLab: [l, a, b] as const }),
  };
}

function readCodes(item: DataSet): Omit<SegmentCodes, "confidence"> | undefined {
  const category = readConcept(item, "SegmentedPropertyCategoryCodeSequence");
  const [typeItem] = items(item, "SegmentedPropertyTypeCodeSequence");
  const type = readConcept(item, "SegmentedPropertyTypeCodeSequence");
  if (category === undefined || typeItem === undefined || type === undefined) return undefined;
  const typeModifier = readConcept(typeItem, "SegmentedPropertyTypeModifierCodeSequence");
  const [regionItem] = items(item, "AnatomicRegionSequence");
  const anatomicRegion = readConcept(item, "AnatomicRegionSequence");
  const anatomicRegionModifier = regionItem && readConcept(regionItem, "AnatomicRegionModifierSequence");
  return {
    category,
    type,
    ...(typeModifier && { typeModifier }),
    ...(anatomicRegion && { anatomicRegion }),
    ...(anatomicRegionModifier && { anatomicRegionModifier }),
  };
}

/** The first item of a code sequence; its value may be short, long or a URN (PS3.3 section 8.1). */
function readConcept(item: DataSet, keyword: string): CodedConcept | undefined {
  const [code] = items(item, keyword);
  if (code === undefined) return undefined;
  const value = firstText(code, "CodeValue") ?? firstText(code, "LongCodeValue") ?? firstText(code, "URNCodeValue");
  if (value === undefined) return undefined;
  return {
    value,
    scheme: firstText(code, "CodingSchemeDesignator") ?? "",
    meaning: firstText(code, "CodeMeaning") ?? "",
  };
}
