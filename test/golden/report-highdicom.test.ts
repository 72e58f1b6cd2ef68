import { beforeAll, expect, test } from "vitest";
import { encodeReport, type PresentFinding } from "#converters/dicom/index.ts";
import { describeWithPython } from "../fixtures/python-checks.ts";
import { readByPython } from "../fixtures/python-files.ts";
import { reportInput } from "../fixtures/report-cases.ts";

type Concept = readonly [value: string, scheme: string, meaning: string];

/** What test/fixtures/read_report.py prints. */
interface ReportByHighdicom {
  readonly type: string;
  readonly groups: readonly {
    readonly template: string;
    readonly trackingId: string;
    readonly trackingUid: string;
    readonly category: Concept;
    readonly finding: Concept;
    readonly sites: readonly (readonly [Concept, Concept | null])[];
    readonly segment: readonly [string, readonly number[]] | null;
    readonly measurements: readonly (readonly [Concept, number, Concept, Concept | null])[];
    readonly evaluations: readonly (readonly [Concept, Concept])[];
    readonly coordinates: readonly (readonly [Concept, string, readonly (readonly number[])[]])[];
  }[];
}

describeWithPython("highdicom reads our report", () => {
  let report: ReportByHighdicom;
  beforeAll(() => {
    [report] = readByPython("read_report.py", [{ part10: encodeReport(reportInput) }]) as [ReportByHighdicom];
  });

  test("as TID 1500, with a group of TID 1411 for what is there and of TID 1501 for what is not", () => {
    expect(report.type).toBe("MeasurementReport");
    expect(report.groups.map(({ template }) => template)).toEqual(["1411", "1411", "1501"]);
  });

  test("the same tracking, codes, sites and segments", () => {
    for (const [n, { codes, tracking }] of reportInput.findings.entries()) {
      const group = report.groups[n]!;
      expect(group.trackingId).toBe(tracking.id);
      expect(group.trackingUid).toBe(tracking.uid);
      expect(group.category.slice(0, 2)).toEqual([codes.category.value, codes.category.scheme]);
      expect(group.finding).toEqual([codes.type.value, codes.type.scheme, codes.type.meaning]);
      expect(group.segment).toEqual(n < 2 ? ["2.25.2002", [n + 1]] : null);
    }
    expect(report.groups.map(({ sites }) => sites.map(([site, side]) => [site[2], side?.[2]]))).toEqual([
      [],
      [["Kidney", "Left"]],
      [["Larynx", "Right"]],
    ]);
  });

  test("the same volumes, diameters and scores, with their units and method", () => {
    const [skull, , absent] = report.groups;
    const { volumeMl, longestAxialDiameter } = reportInput.findings[0] as PresentFinding;
    expect(skull?.measurements.map(([name, value, unit, method]) => [name[0], value, unit[0], method?.[0]])).toEqual([
      ["118565006", expect.closeTo(volumeMl!, 9), "mL", "126030"],
      ["103339001", expect.closeTo(longestAxialDiameter!.mm, 9), "mm", undefined],
      ["111012", 93.75, "%", undefined],
    ]);
    expect(absent?.measurements.map(([name, value]) => [name[0], value])).toEqual([["111012", 6.25]]);
  });

  test("the diameter's line and the box's corners at their place in the patient", () => {
    const { longestAxialDiameter, box } = reportInput.findings[0] as PresentFinding;
    const [line, bounds] = report.groups[0]!.coordinates;
    expect([line?.[0][0], line?.[1], bounds?.[0][0], bounds?.[1]]).toEqual([
      "103339001",
      "POLYLINE",
      "75958009",
      "MULTIPOINT",
    ]);
    const near = (points: readonly (readonly number[])[]) => points.map((p) => p.map((mm) => expect.closeTo(mm, 4)));
    expect(line?.[2]).toEqual(near(longestAxialDiameter!.ends));
    expect(bounds?.[2]).toEqual(near([box!.min, box!.max]));
  });

  test("what is there and what is not", () => {
    const presence = report.groups.map(({ evaluations }) => evaluations.find(([name]) => name[0] === "121052")?.[1][2]);
    expect(presence).toEqual(["Present", "Present", "Absent"]);
  });
});
