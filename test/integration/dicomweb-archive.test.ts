import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Dicomweb, openDicomweb } from "#server/dicomweb/index.ts";
import { InvalidRequestError, SeriesNotFoundError } from "#server/domain/errors.ts";
import type { Orthanc } from "#server/orthanc/index.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";

const { signal } = new AbortController();
const plain = syntheticCt(3, 16, "plain", "DEMO-1");
const spaced = syntheticCt(2, 16, "spaced", "Müller & Co/7");
const similar = syntheticCt(1, 16, "similar", "MxllerX XCoX7");

let orthanc: Orthanc;
let dicomweb: Dicomweb;

beforeAll(async () => {
  orthanc = await startTestOrthanc();
  dicomweb = openDicomweb({ url: orthanc.dicomwebUrl });
  for (const { instances } of [plain, spaced, similar]) {
    for (const instance of instances()) await dicomweb.sink.store(instance, { signal });
  }
});
afterAll(async () => {
  dicomweb?.[Symbol.dispose]();
  await orthanc?.[Symbol.asyncDispose]();
});

describe("a real archive", () => {
  test("lists all studies, and those of a modality", async () => {
    expect(await dicomweb.archive.searchStudies({}, { signal })).toHaveLength(3);
    expect(await dicomweb.archive.searchStudies({ modality: "CT" }, { signal })).toHaveLength(3);
    expect(await dicomweb.archive.searchStudies({ modality: "MR" }, { signal })).toEqual([]);
    expect(await dicomweb.archive.searchStudies({ limit: 2 }, { signal })).toHaveLength(2);
  });

  test.each([
    ["DEMO-1", plain],
    ["Müller & Co/7", spaced],
  ])("finds the study of patient %j, and no other", async (patientId, { series }) => {
    const found = await dicomweb.archive.searchStudies({ patientId }, { signal });
    expect(found).toMatchObject([{ studyInstanceUid: series.studyInstanceUid, patientId, modalities: ["CT"] }]);
  });

  test("finds a series by its UID, with its study and its size", async () => {
    const { seriesInstanceUid } = plain.series;
    expect(await dicomweb.archive.searchSeries({ seriesInstanceUid }, { signal })).toEqual([
      {
        ...plain.series,
        patientId: "DEMO-1",
        modality: "CT",
        seriesNumber: 1,
        seriesDescription: "Synthetic CT",
        instanceCount: 3,
      },
    ]);
    const { studyInstanceUid } = spaced.series;
    expect(await dicomweb.archive.searchSeries({ studyInstanceUid, modality: "CT" }, { signal })).toMatchObject([
      { ...spaced.series, instanceCount: 2 },
    ]);
  });

  test("gives the metadata of every instance of a series", async () => {
    const metadata = await dicomweb.archive.seriesMetadata(plain.series, { signal });
    const uids = metadata.map((dataSet) => dataSet["00080018"]?.Value?.[0]);
    expect(uids.sort()).toEqual([...plain.sopInstanceUids].sort());
    expect(metadata[0]?.["00280010"]?.Value).toEqual([16]);
  });

  test("gives one instance, byte for byte", async () => {
    const [file = new Uint8Array()] = plain.instances();
    const [sopInstanceUid = ""] = plain.sopInstanceUids;
    const fetched = await dicomweb.archive.fetchInstance({ ...plain.series, sopInstanceUid }, { signal });
    expect(Buffer.compare(fetched, file)).toBe(0);
    const elsewhere = dicomweb.archive.fetchInstance({ ...spaced.series, sopInstanceUid }, { signal });
    await expect(elsewhere).rejects.toBeInstanceOf(SeriesNotFoundError);
  });

  test.each([
    ["a study", () => dicomweb.archive.searchStudies({ studyInstanceUid: "1.2&x" }, { signal })],
    ["a series", () => dicomweb.archive.searchSeries({ seriesInstanceUid: "1.2/3" }, { signal })],
    ["the study of a series", () => dicomweb.archive.searchSeries({ studyInstanceUid: "../.." }, { signal })],
    ["a modality", () => dicomweb.archive.searchStudies({ modality: "CT&limit=1" }, { signal })],
    ["an instance", () => dicomweb.archive.fetchInstance({ ...plain.series, sopInstanceUid: "1.2/../3" }, { signal })],
    ["metadata", () => dicomweb.archive.seriesMetadata({ ...plain.series, studyInstanceUid: "" }, { signal })],
  ])("what cannot name %s is refused before anything is sent", async (_, asking) => {
    await expect(asking()).rejects.toBeInstanceOf(InvalidRequestError);
  });
});
