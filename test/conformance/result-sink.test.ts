import { openDicomweb } from "#server/dicomweb/index.ts";
import { createMemoryArchive } from "../fixtures/memory-archive.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { describeResultSink } from "./result-sink-suite.ts";

describeResultSink("the archive in memory", async () => ({
  ...createMemoryArchive(),
  [Symbol.asyncDispose]: async () => {},
}));

describeResultSink("Orthanc", async () => {
  const orthanc = await startTestOrthanc();
  const { source, sink, [Symbol.dispose]: close } = openDicomweb({ url: orthanc.dicomwebUrl });
  return {
    source,
    sink,
    [Symbol.asyncDispose]: async () => {
      close();
      await orthanc[Symbol.asyncDispose]();
    },
  };
});
