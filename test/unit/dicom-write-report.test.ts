import { describe, expect, test } from "vitest";
import { type DataSet, encodeReport, items, type ReportInput, readPart10 } from "#converters/dicom/index.ts";
import { dciodvfy, describeWithDciodvfy, describeWithDcmtk, dsrdump } from "../fixtures/dicom-tools.ts";
import { reportInput } from "../fixtures/report-cases.ts";

const NOTHING_FOUND: ReportInput = (({ seg: _, ...input }) => ({
  ...input,
  findings: input.findings.filter(({ present }) => !present),
}))(reportInput);

const bare = { ...reportInput.header, patient: {}, patientStudy: {} } as ReportInput["header"];

describeWithDciodvfy("dciodvfy finds no error in a report", () => {
  test.each<[string, ReportInput]>([
    ["with findings that are there and one that is not", reportInput],
    ["of which nothing was found", NOTHING_FOUND],
    ["from a source with a bare header and no instances", { ...reportInput, header: bare, sources: [] }],
  ])("%s", (_what, input) => {
    expect(dciodvfy(encodeReport(input)).errors).toEqual([]);
  });
});

describeWithDcmtk("dsrdump", () => {
  test("reads the report to its end, with every finding", () => {
    const { status, lines } = dsrdump(encodeReport(reportInput));
    expect(status).toBe(0);
    // It says of every document in UTF-8 that its checker does not know the character set.
    expect(lines.filter((line) => /^[EW]:/.test(line) && !line.includes("ISO_IR 192"))).toEqual([]);
    const text = lines.join("\n");
    expect(text).toContain("Comprehensive 3D SR Document");
    expect(text.match(/CONTAINER:\(,,"Measurement Group"\)/g)).toHaveLength(3);
    expect(text).toContain('"Long axis"');
    expect(text).toContain('"Absent"');
  });
});

describe("a report", () => {
  const groupsOf = (input: ReportInput): readonly DataSet[] => {
    const { dataSet } = readPart10(encodeReport(input));
    const measurements = items(dataSet, "ContentSequence").find((item) => nameOf(item) === "126010");
    return items(measurements!, "ContentSequence");
  };
  const nameOf = (item: DataSet) => items(item, "ConceptNameCodeSequence")[0]?.CodeValue?.[0];
  const itemsOf = (group: DataSet, name: string) =>
    items(group, "ContentSequence").filter((item) => nameOf(item) === name);

  test("is the same bytes each time", () => {
    expect(Buffer.compare(encodeReport(reportInput), encodeReport(reportInput))).toBe(0);
  });

  test("belongs to the patient and study of its source, and says that it is for research and not verified", () => {
    const { dataSet } = readPart10(encodeReport(reportInput));
    expect(dataSet).toMatchObject({
      SOPClassUID: ["1.2.840.10008.5.1.4.1.1.88.34"],
      PatientName: ["Müller^Jörg"],
      StudyInstanceUID: ["2.25.1002"],
      SeriesInstanceUID: ["2.25.3001"],
      SeriesNumber: [2004],
      Modality: ["SR"],
      VerificationFlag: ["UNVERIFIED"],
      PreliminaryFlag: ["PRELIMINARY"],
      ContentDate: ["20260102"],
    });
    const comment = items(dataSet, "ContentSequence").find((item) => nameOf(item) === "121106");
    expect(comment?.TextValue?.[0]).toMatch(/^Research use only/);
  });

  test("shares tracking and segment number with the SEG, and names it and the sources as its evidence", () => {
    const [first, second, absent] = groupsOf(reportInput);
    for (const [n, group] of [first!, second!].entries()) {
      expect(itemsOf(group, "112040")[0]?.UID).toEqual([`2.25.900${n + 1}`]);
      const [reference] = items(itemsOf(group, "121191")[0]!, "ReferencedSOPSequence");
      expect(reference?.ReferencedSOPInstanceUID).toEqual(["2.25.2002"]);
      expect(reference?.ReferencedSegmentNumber).toEqual([n + 1]);
    }
    expect(itemsOf(absent!, "121191")).toEqual([]);
    const [study] = items(readPart10(encodeReport(reportInput)).dataSet, "CurrentRequestedProcedureEvidenceSequence");
    const series = items(study!, "ReferencedSeriesSequence");
    expect(series.map((one) => items(one, "ReferencedSOPSequence").length)).toEqual([1, reportInput.sources.length]);
  });

  test("says of each finding whether it is there, and how sure the model is where it says so", () => {
    const groups = groupsOf(reportInput);
    const presence = groups.map((group) => items(itemsOf(group, "121052")[0]!, "ConceptCodeSequence")[0]?.CodeMeaning);
    expect(presence).toEqual([["Present"], ["Present"], ["Absent"]]);
    const score = groups.map((group) =>
      itemsOf(group, "111012").map((item) => items(item, "MeasuredValueSequence")[0]?.NumericValue?.[0]),
    );
    expect(score).toEqual([[93.75], [], [6.25]]);
  });

  test("of a label map refers to a Label Map Segmentation", () => {
    const [group] = groupsOf({ ...reportInput, seg: { ...reportInput.seg!, kind: "labelmap" } });
    const [reference] = items(itemsOf(group!, "121191")[0]!, "ReferencedSOPSequence");
    expect(reference?.ReferencedSOPClassUID).toEqual(["1.2.840.10008.5.1.4.1.1.66.7"]);
  });

  test("keeps the words that were asked for, and says where their code is more general", () => {
    const comments = groupsOf(reportInput).map((group) => itemsOf(group, "121106")[0]?.TextValue?.[0]);
    expect(comments).toEqual([
      "Prompt: skull",
      "Prompt: left kidney cyst",
      "Prompt: right arytenoid (coded by a more general term)",
    ]);
  });
});

describe("encodeReport refuses", () => {
  test("a report of nothing", () => {
    expect(() => encodeReport({ ...reportInput, findings: [] })).toThrow(/at least one finding/);
  });

  test.each([-0.1, 1.01, Number.NaN])("a score of %d", (score) => {
    const findings = [{ ...reportInput.findings[2]!, score }];
    expect(() => encodeReport({ ...reportInput, findings })).toThrow(/from 0 to 1/);
  });
});
