import type { SourceInstance } from "../geometry/index.ts";
import type { RgbPicture } from "../picture/index.ts";
import { dicomDateTime } from "./date-time.ts";
import { derivedSeriesElements, onlyInstance } from "./derived-series.ts";
import type { Elements } from "./elements.ts";
import { codeItem, RESEARCH_USE_ONLY, SOURCE_IMAGE_FOR_PROCESSING } from "./equipment.ts";
import { type LossyCompression, lossyElements } from "./lossy-compression.ts";
import { writePart10 } from "./part10-writer.ts";
import { referencedInstances } from "./referenced-instances.ts";
import { referencedSeries } from "./seg-functional-groups.ts";
import type { SeriesHeader } from "./series-header.ts";

export interface SecondaryCaptureInput {
  /** All of one size. Must not show who the patient is. */
  readonly pictures: readonly RgbPicture[];
  /** Of the series that the pictures were made of. */
  readonly header: SeriesHeader;
  readonly sources: readonly SourceInstance[];
  readonly seriesDescription: string;
  /** Where the series' pixels once went through lossy compression: the pictures inherit it. */
  readonly lossyCompression?: LossyCompression;
  /** What segmented what the pictures show; told where given. */
  readonly algorithm?: { readonly name: string; readonly version: string };
  /** Series Number (0020,0011); the source's plus 4000 where absent. */
  readonly seriesNumber?: number;
  readonly at: Date;
  readonly uids: { readonly series: string; readonly instance: string };
}

const SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7";
const MULTI_FRAME_TRUE_COLOR_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.4";

/**
 * Pictures as a Secondary Capture in colour: one as a Secondary Capture Image (PS3.3 section A.8.1), which every receiver
 * can show, several as the pages of a Multi-frame True Color one (section A.8.5).
 *
 * @throws RangeError where there is no picture, or pictures differ in size
 */
export function encodeSecondaryCapture(input: SecondaryCaptureInput): Uint8Array {
  const { pictures, header, sources, seriesDescription, seriesNumber, algorithm, lossyCompression, at, uids } = input;
  const [first] = pictures;
  if (first === undefined) throw new RangeError("a secondary capture needs at least one picture");
  const size = first.width * first.height * 3;
  if (
    pictures.some(
      ({ width, height, pixels }) => width !== first.width || height !== first.height || pixels.length !== size,
    )
  ) {
    throw new RangeError("the pictures differ in size, or have other pixels than their size asks for");
  }
  const { date, time } = dicomDateTime(at);
  const dataSet: Elements = {
    ...derivedSeriesElements({
      header,
      at,
      seriesDescription,
      ...(seriesNumber !== undefined && { seriesNumber }),
      seriesInstanceUid: uids.series,
      modality: "OT",
    }),
    Laterality: "",
    ConversionType: "WSD",
    ...onlyInstance({ sopInstanceUid: uids.instance, at, algorithm }),
    PatientOrientation: "",
    ContentDate: date,
    ContentTime: time,
    ImageType: ["DERIVED", "SECONDARY"],
    DerivationDescription: `${RESEARCH_USE_ONLY}. Picture of an automatic segmentation.`,
    BurnedInAnnotation: "NO",
    ...lossyElements(lossyCompression),
    ...referencedSeries(header.series.SeriesInstanceUID, sources),
    ...sourceImages(sources),
    ...frameElements(pictures.length),
    SamplesPerPixel: 3,
    PhotometricInterpretation: "RGB",
    PlanarConfiguration: 0,
    Rows: first.height,
    Columns: first.width,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
  };
  return writePart10(dataSet, {
    pixels: {
      kind: "native",
      vr: "OB",
      length: pictures.length * size,
      fill(into) {
        for (const [n, { pixels }] of pictures.entries()) into.set(pixels, n * size);
      },
    },
  });
}

/** Source Image Sequence of the General Image module (PS3.3 section C.7.6.1). */
function sourceImages(sources: readonly SourceInstance[]): Elements {
  if (sources.length === 0) return {};
  return {
    SourceImageSequence: referencedInstances(sources).map((instance) => ({
      ...instance,
      PurposeOfReferenceCodeSequence: [codeItem(SOURCE_IMAGE_FOR_PROCESSING)],
    })),
  };
}

const PAGE_NUMBER_VECTOR = "00182001";

function frameElements(pictures: number): Elements {
  if (pictures === 1) return { SOPClassUID: SECONDARY_CAPTURE };
  return {
    SOPClassUID: MULTI_FRAME_TRUE_COLOR_SECONDARY_CAPTURE,
    NumberOfFrames: pictures,
    FrameIncrementPointer: PAGE_NUMBER_VECTOR,
    PageNumberVector: Array.from({ length: pictures }, (_, n) => n + 1),
  };
}
