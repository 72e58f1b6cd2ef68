import { api } from "dicomweb-client";
import XMLHttpRequest from "xhr2";
import { openDicomweb } from "#server/dicomweb/index.ts";

/** One warm retrieval of a series in a process of its own, so that its peak memory is its own too. */
export interface FetchSample {
  readonly seconds: number;
  readonly peakMiB: number;
  readonly instances: number;
  readonly bytes: number;
}

const [way = "", url = "", studyInstanceUid = "", seriesInstanceUid = ""] = process.argv.slice(2);

async function ours() {
  using dicomweb = openDicomweb({ url });
  const { signal } = new AbortController();
  let instances = 0;
  let bytes = 0;
  for await (const instance of dicomweb.source.instances({ studyInstanceUid, seriesInstanceUid }, { signal })) {
    instances++;
    bytes += instance.length;
  }
  return { instances, bytes };
}

async function dicomwebClientWithXhr2() {
  const client = new api.DICOMwebClient({ url, verbose: false });
  const all = await client.retrieveSeries({
    studyInstanceUID: studyInstanceUid,
    seriesInstanceUID: seriesInstanceUid,
    request: { instance: new XMLHttpRequest() },
  });
  return { instances: all.length, bytes: all.reduce((sum, { byteLength }) => sum + byteLength, 0) };
}

const fetchOnce = way === "ours" ? ours : dicomwebClientWithXhr2;
// A server has fetched before: what the first call compiles is not counted.
await fetchOnce();
const begun = performance.now();
const came = await fetchOnce();
const seconds = (performance.now() - begun) / 1000;
const sample: FetchSample = { ...came, seconds, peakMiB: process.resourceUsage().maxRSS / 1024 };
console.log(JSON.stringify(sample));
