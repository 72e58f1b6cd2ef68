import { concept } from "./code-table.ts";
import type { CodedConcept, SegmentCodes } from "./coded-concept.ts";
import {
  code,
  container,
  containerValue,
  contentItem,
  coordinates,
  measurement,
  text,
  uidReference,
} from "./content-item.ts";
import type { Elements } from "./elements.ts";
import { equipment, familyCode, RESEARCH_USE_ONLY } from "./equipment.ts";
import type { PresentFinding, ReportFinding, ReportInput } from "./report-input.ts";
import { storageClassOf } from "./seg-kind.ts";

/** Names this software as the observer of every report that it writes. */
const DEVICE_OBSERVER_UID = "2.25.197030558500430555497465521408223469578";

const NAME = {
  language: concept("DCM", "121049"),
  observerType: concept("DCM", "121005"),
  observerUid: concept("DCM", "121012"),
  observerName: concept("DCM", "121013"),
  observerManufacturer: concept("DCM", "121014"),
  observerModel: concept("DCM", "121015"),
  procedureReported: concept("DCM", "121058"),
  report: concept("DCM", "126000"),
  imagingMeasurements: concept("DCM", "126010"),
  comment: concept("DCM", "121106"),
  measurementGroup: concept("DCM", "125007"),
  trackingIdentifier: concept("DCM", "112039"),
  trackingUid: concept("DCM", "112040"),
  /** TID 1501, row 5. */
  findingCategory: { value: "276214006", scheme: "SCT", meaning: "Finding category" },
  finding: concept("DCM", "121071"),
  findingSite: concept("SCT", "363698007"),
  laterality: concept("SCT", "272741003"),
  referencedSegment: concept("DCM", "121191"),
  sourceSeries: concept("DCM", "121232"),
  algorithmFamily: concept("DCM", "111000"),
  algorithmName: concept("DCM", "111001"),
  algorithmVersion: concept("DCM", "111003"),
  presence: concept("DCM", "121052"),
  certainty: concept("DCM", "111012"),
  volume: concept("SCT", "118565006"),
  method: concept("SCT", "370129005"),
  longAxis: concept("SCT", "103339001"),
  /** CID 219: what a region's coordinates mean. */
  boundedBy: concept("SCT", "75958009"),
} as const satisfies Record<string, CodedConcept>;

const VALUE = {
  /** TID 1204, whose languages are those of RFC 5646. */
  english: { value: "en-US", scheme: "RFC5646", meaning: "English (United States)" },
  device: concept("DCM", "121007"),
  imagingProcedure: concept("SCT", "363679005"),
  present: concept("SCT", "52101004"),
  absent: concept("SCT", "272519000"),
  sumOfVoxels: concept("DCM", "126030"),
  /** Units are expressions of UCUM; DICOM lists but some of them. */
  ml: { value: "mL", scheme: "UCUM", meaning: "milliliter" },
  mm: concept("UCUM", "mm"),
  percent: concept("UCUM", "%"),
} as const satisfies Record<string, CodedConcept>;

/** The document's root: TID 1500, Measurement Report. */
export function reportContent(input: ReportInput): Elements {
  return containerValue(
    NAME.report,
    [
      code("HAS CONCEPT MOD", NAME.language, VALUE.english),
      code("HAS OBS CONTEXT", NAME.observerType, VALUE.device),
      uidReference("HAS OBS CONTEXT", NAME.observerUid, DEVICE_OBSERVER_UID),
      text("HAS OBS CONTEXT", NAME.observerName, equipment.Manufacturer),
      text("HAS OBS CONTEXT", NAME.observerManufacturer, equipment.Manufacturer),
      text("HAS OBS CONTEXT", NAME.observerModel, `${equipment.ManufacturerModelName} ${equipment.SoftwareVersions}`),
      code("HAS CONCEPT MOD", NAME.procedureReported, VALUE.imagingProcedure),
      container(
        NAME.imagingMeasurements,
        input.findings.map((finding) => measurementGroup(finding, input)),
      ),
      text("CONTAINS", NAME.comment, `${RESEARCH_USE_ONLY}. Not for diagnosis or treatment.`),
    ],
    "1500",
  );
}

/** TID 1411 where the group refers to a segment, which that template asks for; else TID 1501. */
function measurementGroup(finding: ReportFinding, input: ReportInput): Elements {
  const { codes, tracking, algorithm } = { ...finding, algorithm: input.algorithm };
  const segment = finding.present ? segmentReference(finding, input) : [];
  return container(
    NAME.measurementGroup,
    [
      text("HAS OBS CONTEXT", NAME.trackingIdentifier, tracking.id),
      uidReference("HAS OBS CONTEXT", NAME.trackingUid, tracking.uid),
      code("CONTAINS", NAME.findingCategory, codes.category),
      code("CONTAINS", NAME.finding, codes.type),
      ...findingSite(codes),
      text("HAS CONCEPT MOD", NAME.algorithmName, algorithm.name),
      text("HAS CONCEPT MOD", NAME.algorithmVersion, algorithm.version),
      code("HAS CONCEPT MOD", NAME.algorithmFamily, familyCode(algorithm.family)),
      ...segment,
      ...(finding.present ? measurements(finding, input.frameOfReferenceUid) : []),
      ...(finding.score === null ? [] : [measurement(NAME.certainty, finding.score * 100, VALUE.percent)]),
      code("CONTAINS", NAME.presence, finding.present ? VALUE.present : VALUE.absent),
      text("CONTAINS", NAME.comment, comment(finding)),
    ],
    segment.length > 0 ? "1411" : "1501",
  );
}

/** A finding lies in its region; a structure is its own place, which gives its side a name. */
function findingSite(codes: SegmentCodes): readonly Elements[] {
  const site = codes.anatomicRegion ?? (codes.typeModifier && codes.type);
  const side = codes.anatomicRegionModifier ?? codes.typeModifier;
  if (site === undefined) return [];
  return [
    code("HAS CONCEPT MOD", NAME.findingSite, site, side ? [code("HAS CONCEPT MOD", NAME.laterality, side)] : []),
  ];
}

function segmentReference({ segmentNumber }: PresentFinding, { seg, header }: ReportInput): readonly Elements[] {
  if (seg === undefined || segmentNumber === undefined) return [];
  const reference = {
    ReferencedSOPClassUID: storageClassOf(seg.kind ?? "binary"),
    ReferencedSOPInstanceUID: seg.sopInstanceUid,
    ReferencedSegmentNumber: segmentNumber,
  };
  return [
    contentItem("CONTAINS", "IMAGE", NAME.referencedSegment, { ReferencedSOPSequence: [reference] }),
    uidReference("CONTAINS", NAME.sourceSeries, header.series.SeriesInstanceUID),
  ];
}

function measurements(finding: PresentFinding, frameOfReferenceUid: string): readonly Elements[] {
  const { volumeMl, longestAxialDiameter: diameter, box } = finding;
  return [
    ...(volumeMl === undefined
      ? []
      : [measurement(NAME.volume, volumeMl, VALUE.ml, [code("HAS CONCEPT MOD", NAME.method, VALUE.sumOfVoxels)])]),
    ...(diameter === undefined
      ? []
      : [
          measurement(NAME.longAxis, diameter.mm, VALUE.mm, [
            coordinates("INFERRED FROM", NAME.longAxis, "POLYLINE", diameter.ends, frameOfReferenceUid),
          ]),
        ]),
    ...(box === undefined
      ? []
      : [coordinates("CONTAINS", NAME.boundedBy, "MULTIPOINT", [box.min, box.max], frameOfReferenceUid)]),
  ];
}

function comment({ prompt, codes }: ReportFinding): string {
  return `Prompt: ${prompt}${codes.confidence === "fallback" ? " (coded by a more general term)" : ""}`;
}
