import type { SourceInstance, Vec3 } from "../geometry/index.ts";
import { entryOfKeyword, hexOfTag } from "./dictionary.ts";
import type { Elements } from "./elements.ts";
import { codeItem, SEGMENTATION_DERIVATION, SOURCE_IMAGE_FOR_PROCESSING } from "./equipment.ts";
import type { PlaneAxes } from "./plane-axes.ts";
import { referencedInstances } from "./referenced-instances.ts";
import type { SegFrame } from "./seg-frames.ts";
import type { SegKind } from "./seg-kind.ts";

/** Multi-frame Dimension module (PS3.3 section C.7.6.17): by segment, then by position; a label map by position only. */
export function dimensionElements(kind: SegKind, organizationUid: string, isRegularStack: boolean): Elements {
  const dimension = (pointer: string, group: string, label: string): Elements => ({
    DimensionOrganizationUID: organizationUid,
    DimensionIndexPointer: tagText(pointer),
    FunctionalGroupPointer: tagText(group),
    DimensionDescriptionLabel: label,
  });
  return {
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: organizationUid }],
    DimensionIndexSequence: [
      ...(kind === "labelmap"
        ? []
        : [dimension("ReferencedSegmentNumber", "SegmentIdentificationSequence", "Segment Number")]),
      dimension("ImagePositionPatient", "PlanePositionSequence", "Image Position Patient"),
    ],
    ...(isRegularStack && { DimensionOrganizationType: "3D" }),
  };
}

/** What all frames share: plane orientation and pixel measures (PS3.3 sections C.7.6.16.2.1 and C.7.6.16.2.4). */
export function sharedGroups(axes: PlaneAxes, spacing: number | undefined): Elements {
  return {
    PlaneOrientationSequence: [{ ImageOrientationPatient: [...axes.row, ...axes.column] }],
    PixelMeasuresSequence: [
      {
        SliceThickness: spacing ?? Math.abs(axes.sliceStep),
        ...(spacing !== undefined && { SpacingBetweenSlices: spacing }),
        PixelSpacing: axes.pixelSpacing,
      },
    ],
  };
}

/** What each frame says of itself; `positions` are by slice. */
export function perFrameGroups(
  frames: readonly SegFrame[],
  positions: readonly Vec3[],
  sources: readonly SourceInstance[],
): readonly Elements[] {
  const derivations = new Map(
    [...Map.groupBy(sources, ({ sliceIndex }) => sliceIndex)].map(
      ([sliceIndex, group]) => [sliceIndex, [derivation(group)]] as const,
    ),
  );
  const slices = [...new Set(frames.map(({ sliceIndex }) => sliceIndex))].sort((a, b) => a - b);
  const positionIndex = new Map(slices.map((sliceIndex, n) => [sliceIndex, n + 1]));
  const planes = positions.map((position) => [{ ImagePositionPatient: position }]);
  return frames.map(({ segmentNumber, sliceIndex }) => ({
    DerivationImageSequence: derivations.get(sliceIndex) ?? [],
    FrameContentSequence: [
      {
        DimensionIndexValues: [...(segmentNumber === undefined ? [] : [segmentNumber]), positionIndex.get(sliceIndex)!],
      },
    ],
    PlanePositionSequence: planes[sliceIndex]!,
    ...(segmentNumber !== undefined && {
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segmentNumber }],
    }),
  }));
}

/** Common Instance Reference module (PS3.3 section C.12.2): every instance of the source series, each once. */
export function referencedSeries(seriesInstanceUid: string, sources: readonly SourceInstance[]): Elements {
  if (sources.length === 0) return {};
  return {
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: seriesInstanceUid, ReferencedInstanceSequence: referencedInstances(sources) },
    ],
  };
}

/** Derivation Image (PS3.3 section C.7.6.16.2.6): from these frames, pixel for pixel in the same place unless pixels were moved. */
function derivation(sources: readonly SourceInstance[]): Elements {
  return {
    DerivationCodeSequence: [codeItem(SEGMENTATION_DERIVATION)],
    SourceImageSequence: sources.map(({ sopClassUid, sopInstanceUid, frame, pixelsMoved }) => ({
      ReferencedSOPClassUID: sopClassUid,
      ReferencedSOPInstanceUID: sopInstanceUid,
      ...(frame !== undefined && { ReferencedFrameNumber: frame }),
      PurposeOfReferenceCodeSequence: [codeItem(SOURCE_IMAGE_FOR_PROCESSING)],
      SpatialLocationsPreserved: pixelsMoved ? "NO" : "YES",
    })),
  };
}

function tagText(keyword: string): string {
  return hexOfTag(entryOfKeyword(keyword)!.tag);
}
