import { concept } from "./code-table.ts";
import type { CodedConcept } from "./coded-concept.ts";
import type { Elements } from "./elements.ts";
import { codeItem, equipment, familyCode } from "./equipment.ts";
import { singleLine } from "./line-text.ts";
import type { SegInput } from "./seg-input.ts";
import { segmentColours } from "./segment-colour.ts";

/**
 * The Segment Sequence (PS3.3 section C.8.20.2 and table C.8.20-4). Segment Algorithm Type is AUTOMATIC: words say
 * what is looked for, as a choice from a list would; nothing that the user does shows where it lies, which is what
 * SEMIAUTOMATIC ("calculated segment with user assistance") means: what a person drew on afterwards is that.
 */
export function segmentItems({
  segments,
  algorithm,
  revision,
}: Pick<SegInput, "segments" | "algorithm" | "revision">): readonly Elements[] {
  const colours = segmentColours(segments.map(({ label }) => label));
  const name = singleLine(algorithm.name);
  return segments.map(({ label, description, codes, tracking, colourLab }, n) => ({
    SegmentNumber: n + 1,
    SegmentLabel: singleLine(label),
    ...(description !== "" && { SegmentDescription: description.slice(0, LONGEST_DESCRIPTION) }),
    SegmentAlgorithmType: revision?.byPerson ? "SEMIAUTOMATIC" : "AUTOMATIC",
    SegmentAlgorithmName: name,
    SegmentationAlgorithmIdentificationSequence: [
      {
        AlgorithmFamilyCodeSequence: [codeItem(familyCode(algorithm.family))],
        AlgorithmName: name,
        AlgorithmVersion: singleLine(algorithm.version),
        ...(algorithm.parameters !== undefined && { AlgorithmParameters: algorithm.parameters }),
      },
    ],
    SegmentedPropertyCategoryCodeSequence: [codeItem(codes.category)],
    SegmentedPropertyTypeCodeSequence: [
      {
        ...codeItem(codes.type),
        ...modified("SegmentedPropertyTypeModifierCodeSequence", codes.typeModifier),
      },
    ],
    ...(codes.anatomicRegion && {
      AnatomicRegionSequence: [
        {
          ...codeItem(codes.anatomicRegion),
          ...modified("AnatomicRegionModifierSequence", codes.anatomicRegionModifier),
        },
      ],
    }),
    TrackingID: tracking.id,
    TrackingUID: tracking.uid,
    RecommendedDisplayCIELabValue: colourLab ?? colours[n]!,
  }));
}

/** What is none of a label map's segments: number 0 (PS3.3 section C.8.20.2.3). */
export function backgroundItem(): Elements {
  return {
    SegmentNumber: 0,
    SegmentLabel: "Background",
    SegmentAlgorithmType: "AUTOMATIC",
    SegmentAlgorithmName: equipment.ManufacturerModelName,
    SegmentedPropertyCategoryCodeSequence: [codeItem(SPATIAL_CONCEPT)],
    SegmentedPropertyTypeCodeSequence: [codeItem(BACKGROUND)],
    RecommendedDisplayCIELabValue: BLACK,
  };
}

const SPATIAL_CONCEPT = concept("SCT", "309825002");
const BACKGROUND = concept("DCM", "125040");
/** L 0, a 0, b 0. */
const BLACK = [0, 0x8080, 0x8080] as const;

/** Segment Description (0062,0006) is ST: 1024 characters. */
const LONGEST_DESCRIPTION = 1024;

function modified(keyword: string, modifier: CodedConcept | undefined): Elements {
  return modifier === undefined ? {} : { [keyword]: [codeItem(modifier)] };
}
