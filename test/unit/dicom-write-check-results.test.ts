import { describe, expect, test } from "vitest";
import {
  checkReport,
  checkSecondaryCapture,
  checkStructureSet,
  type DataSet,
  encodeReport,
  encodeSecondaryCapture,
  encodeStructureSet,
  items,
  type ReportInput,
  readPart10,
  type SecondaryCaptureInput,
  type StructureSetInput,
} from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { reportInput } from "../fixtures/report-cases.ts";
import { ellipsoid, GEOMETRY_KINDS, geometryOf, headerOf, sourcesOf } from "../fixtures/seg-cases.ts";
import { structureSetInput } from "../fixtures/structure-set-cases.ts";

describe("a report's self-check", () => {
  const [first, second, absent] = reportInput.findings;
  const elsewhere = { sopInstanceUid: "2.25.66", seriesInstanceUid: "2.25.67" };

  test("passes what it was made of, with segments and without", () => {
    expect(() => checkReport(encodeReport(reportInput), reportInput)).not.toThrow();
    const { seg: _, ...nothing } = { ...reportInput, findings: [absent!] };
    expect(() => checkReport(encodeReport(nothing), nothing)).not.toThrow();
  });

  test.each<[string, ReportInput, RegExp]>([
    ["of another instance", { ...reportInput, uids: { ...reportInput.uids, instance: "2.25.99" } }, /SOP Instance UID/],
    ["with a finding too few", { ...reportInput, findings: [first!, second!] }, /number of findings/],
    [
      "with its findings exchanged",
      { ...reportInput, findings: [second!, first!, absent!] },
      /finding 1 .*tracking UID/,
    ],
    ["of another SEG", { ...reportInput, seg: elsewhere }, /finding 1 refers to another segment/],
  ])("refuses one %s", (_what, written, difference) => {
    expect(() => checkReport(encodeReport(written), reportInput)).toThrow(difference);
  });

  test("refuses one that gives an absent finding a segment", () => {
    const present = { ...absent!, present: true, segmentNumber: 2 } as const;
    const written = encodeReport({ ...reportInput, findings: [first!, second!, present] });
    expect(() => checkReport(written, reportInput)).toThrow("finding 3 refers to another segment");
  });
});

describe("a structure set's self-check", () => {
  const size: Vec3 = [16, 14, 6];
  const masks = [ellipsoid(size, [0.5, 0.5, 0.5], 0.4), ellipsoid(size, [0.4, 0.5, 0.5], 0.2)];

  test.each(GEOMETRY_KINDS)("passes what it was made of, on a grid that lies %s", (kind) => {
    const input = structureSetInput(geometryOf(kind, size), masks);
    expect(() => checkStructureSet(encodeStructureSet(input), input)).not.toThrow();
  });

  const input = structureSetInput(geometryOf("oblique", size), masks);
  const oneMore = { size, bits: masks[0]!.bits.slice() };
  oneMore.bits[0]! |= 1;
  test.each<[string, StructureSetInput, RegExp]>([
    ["with a voxel more", structureSetInput(input.geometry, [oneMore, masks[1]!]), /contours of ROI 1/],
    ["with an ROI too few", structureSetInput(input.geometry, [masks[0]!]), /number of ROIs/],
    ["of another study's series", { ...input, uids: { ...input.uids, series: "2.25.7" } }, /Series Instance UID/],
  ])("refuses one %s", (_what, written, difference) => {
    expect(() => checkStructureSet(encodeStructureSet(written), input)).toThrow(difference);
  });
});

describe("a secondary capture's self-check", () => {
  const picture = (grey: number) => ({ width: 3, height: 5, pixels: new Uint8Array(45).fill(grey) });
  const inputOf = (...greys: readonly number[]): SecondaryCaptureInput => ({
    pictures: greys.map(picture),
    header: headerOf(),
    sources: sourcesOf(geometryOf("axial", [4, 4, 3])),
    seriesDescription: "Overlay (research use only)",
    at: new Date("2026-01-02T03:04:05.678Z"),
    uids: { series: "2.25.5001", instance: "2.25.5002" },
  });

  test.each([[[7]], [[7, 8, 9]]])("passes pictures of %j", (greys) => {
    expect(() => checkSecondaryCapture(encodeSecondaryCapture(inputOf(...greys)), inputOf(...greys))).not.toThrow();
  });

  test.each([
    ["a picture exchanged", [9, 8, 7], /picture 1 has other pixels/],
    ["a picture too few", [7, 8], /number of pictures/],
  ])("refuses one with %s", (_what, greys, difference) => {
    expect(() => checkSecondaryCapture(encodeSecondaryCapture(inputOf(...greys)), inputOf(7, 8, 9))).toThrow(
      difference,
    );
  });
});

test("every kind of result names the algorithm that made it as contributing equipment", () => {
  const geometry = geometryOf("axial", [8, 8, 3]);
  const mask = ellipsoid([8, 8, 3], [0.5, 0.5, 0.5], 0.4);
  const algorithm = { name: "density-ct", version: "1" };
  const files = [
    encodeReport(reportInput),
    encodeStructureSet(structureSetInput(geometry, [mask])),
    encodeSecondaryCapture({
      pictures: [{ width: 1, height: 1, pixels: new Uint8Array(3) }],
      header: headerOf(),
      sources: [],
      seriesDescription: "Overlay",
      algorithm,
      at: reportInput.at,
      uids: { series: "2.25.5001", instance: "2.25.5002" },
    }),
  ];
  const equipment = files.map(
    (file): DataSet | undefined => items(readPart10(file).dataSet, "ContributingEquipmentSequence")[0],
  );
  for (const item of equipment) {
    expect(item?.ContributionDescription).toEqual(["Research use only. Segmented by density-ct 1."]);
    expect(items(item ?? {}, "PurposeOfReferenceCodeSequence")[0]?.CodeValue).toEqual(["109102"]);
  }
});
