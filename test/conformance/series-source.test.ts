import { firstText, readPart10 } from "#converters/dicom/index.ts";
import { openDicomweb } from "#server/dicomweb/index.ts";
import type { ResultSink, SeriesRef, SeriesSource } from "#server/domain/index.ts";
import { createMemoryArchive } from "../fixtures/memory-archive.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { describeSeriesSource, type SourceUnderTest } from "./series-source-suite.ts";

const synthetic = () => [...syntheticCt(7, 32).instances()];

describeSeriesSource("the archive in memory", () => holding(createMemoryArchive(), synthetic()));
describeSeriesSource("Orthanc with a synthetic CT", () => inOrthanc(synthetic()));

describeWithData("with real series", () => {
  describeSeriesSource("Orthanc with an abdomen CT", () => inOrthanc(readSeries("ct_abdomen_crlm1004", "dicom")));
  describeSeriesSource("Orthanc with a thigh CT", () =>
    inOrthanc(readSeries("sts002_ct_pet_mr_rtstruct", "CT", "dicom", "image")),
  );
});

async function inOrthanc(files: Uint8Array[]): Promise<SourceUnderTest> {
  const orthanc = await startTestOrthanc();
  const dicomweb = openDicomweb({ url: orthanc.dicomwebUrl });
  const dispose = async () => {
    dicomweb[Symbol.dispose]();
    await orthanc[Symbol.asyncDispose]();
  };
  return { ...(await holding(dicomweb, files)), [Symbol.asyncDispose]: dispose };
}

async function holding(
  { source, sink }: { readonly source: SeriesSource; readonly sink: ResultSink },
  files: Uint8Array[],
): Promise<SourceUnderTest> {
  const other = syntheticCt(1, 16, "another study");
  const { signal } = new AbortController();
  for (const file of [...files, ...other.instances()]) await sink.store(file, { signal });
  return {
    source,
    files,
    ...identityOf(files[0] ?? new Uint8Array()),
    otherStudyInstanceUid: other.series.studyInstanceUid,
    [Symbol.asyncDispose]: async () => {},
  };
}

function identityOf(part10: Uint8Array): { readonly series: SeriesRef; readonly modality: string } {
  const { dataSet } = readPart10(part10, { stopBeforePixels: true });
  const text = (keyword: string) => firstText(dataSet, keyword) ?? "";
  return {
    series: { studyInstanceUid: text("StudyInstanceUID"), seriesInstanceUid: text("SeriesInstanceUID") },
    modality: text("Modality"),
  };
}
