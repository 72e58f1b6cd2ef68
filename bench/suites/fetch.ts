import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { startOrthanc } from "#server/orthanc/index.ts";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import type { FetchSample } from "../fetch-process.ts";
import { compare, type Report, type Suite } from "../figure.ts";
import { interleave } from "../interleave.ts";

type Contestant = "ours" | "curl" | "discarding" | "client";
type Sample = Pick<FetchSample, "seconds"> & Partial<FetchSample>;

const SLICES = 300;
const SIDE = 512;
const ROUNDS = 7;

export const programs: Suite["programs"] = { Orthanc: ["/usr/sbin/Orthanc", "--version"], curl: ["curl", "--version"] };

/** A CT of 300 slices out of an Orthanc of our own: our streaming WADO-RS beside curl and beside dicomweb-client. */
export async function run(report: Report): Promise<void> {
  const storageFolder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  try {
    await using orthanc = await startOrthanc({ storageFolder });
    const { dicomwebUrl } = orthanc;
    report.note(`Storing ${SLICES} slices of ${SIDE}x${SIDE} ...`);
    const { study, series, bytes } = await storeSeries(dicomwebUrl);

    report.note(`Fetching them, ${ROUNDS} rounds ...`);
    const fetchIn = (way: string) => () => inProcess([way, dicomwebUrl, study, series], bytes);
    const curlTo = (file: string) => () => byCurl(`${dicomwebUrl}/studies/${study}/series/${series}`, file, bytes);
    const { ours, curl, discarding, client } = await interleave<Contestant, Sample>(ROUNDS, {
      ours: fetchIn("ours"),
      curl: curlTo(join(storageFolder, "series.multipart")),
      discarding: curlTo("/dev/null"),
      client: fetchIn("dicomweb-client"),
    });
    const figure = (name: string, unit: string, value: (sample: Sample) => number) => ({
      against: (peer: string, samples: readonly Sample[]) =>
        report.figure(compare(name, unit, ours.map(value), { name: peer, samples: samples.map(value) })),
    });
    const wall = figure(`${SLICES} slices`, "s", ({ seconds }) => seconds);
    wall.against("curl into a file", curl);
    wall.against("curl into /dev/null", discarding);
    wall.against("dicomweb-client", client);
    figure("peak memory", "MiB", ({ peakMiB = Number.NaN }) => peakMiB).against("dicomweb-client", client);
  } finally {
    await rm(storageFolder, { recursive: true, force: true });
  }
}

async function storeSeries(url: string) {
  using dicomweb = openDicomweb({ url });
  const { signal } = new AbortController();
  const { series, instances } = syntheticCt(SLICES, SIDE, "bench");
  let bytes = 0;
  for (const instance of instances()) {
    bytes += instance.length;
    await dicomweb.sink.store(instance, { signal });
  }
  return { study: series.studyInstanceUid, series: series.seriesInstanceUid, bytes };
}

const execute = promisify(execFile);

async function inProcess(arguments_: readonly string[], expectedBytes: number): Promise<FetchSample> {
  const script = join(import.meta.dirname, "../fetch-process.ts");
  const { stdout } = await execute(process.execPath, [script, ...arguments_]);
  const sample: FetchSample = JSON.parse(stdout);
  if (sample.instances !== SLICES || sample.bytes !== expectedBytes) {
    throw new Error(
      `${arguments_[0]} fetched ${sample.instances} instances, ${sample.bytes} of ${expectedBytes} bytes`,
    );
  }
  return sample;
}

async function byCurl(url: string, file: string, expectedBytes: number): Promise<Sample> {
  const accept = 'Accept: multipart/related; type="application/dicom"; transfer-syntax=*';
  const figures = "%{time_total} %{size_download}";
  const options = ["--silent", "--fail", "--output", file, "--header", accept, "--write-out", figures];
  const { stdout } = await execute("curl", [...options, url]);
  const [seconds = Number.NaN, bytes = 0] = stdout.split(" ").map(Number);
  if (bytes < expectedBytes) throw new Error(`curl fetched ${bytes} of ${expectedBytes} bytes`);
  return { seconds };
}
