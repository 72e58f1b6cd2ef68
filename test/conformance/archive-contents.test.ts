import { openDicomweb } from "#server/dicomweb/index.ts";
import { createMemoryArchive } from "../fixtures/memory-archive.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { describeArchiveContents } from "./archive-contents-suite.ts";

describeArchiveContents("the archive in memory", async () => ({
  ...createMemoryArchive(),
  [Symbol.asyncDispose]: async () => {},
}));

describeArchiveContents("Orthanc", async () => {
  const orthanc = await startTestOrthanc();
  const { archive, sink, [Symbol.dispose]: close } = openDicomweb({ url: orthanc.dicomwebUrl });
  return {
    archive,
    sink,
    [Symbol.asyncDispose]: async () => {
      close();
      await orthanc[Symbol.asyncDispose]();
    },
  };
});
