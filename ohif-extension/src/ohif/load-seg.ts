import type { StoredSeg } from "../state/viewer-port.ts";
import { labelLayersOf } from "./labelmap.ts";
import { type OddBits, oddBitsOf, relabelByBits } from "./odd-bits.ts";
import type { DataSource, DisplaySet, OhifContext } from "./types.ts";

/**
 * Brings a SEG that stands in the archive into the running viewer, without showing it yet.
 * @returns its display set, whose UID is also the id of the segmentation
 */
export async function loadSeg({ servicesManager, extensionManager }: OhifContext, seg: StoredSeg): Promise<DisplaySet> {
  const { displaySetService, segmentationService, userAuthenticationService } = servicesManager.services;
  const find = () => displaySetService.getDisplaySetsForSeries(seg.seriesInstanceUid)?.[0];
  if (!find()) await readMetadata(extensionManager, seg);
  const displaySet = find();
  if (!displaySet?.load) throw new Error("the archive does not list it yet; choose Show to try again");
  if (!segmentationService.getSegmentation(displaySet.displaySetInstanceUID)) {
    const [source] = extensionManager.getActiveDataSource();
    await loadRightly(displaySet, source, () =>
      displaySet.load?.({ headers: userAuthenticationService.getAuthorizationHeader() ?? {} }),
    );
  }
  return displaySet;
}

async function readMetadata(
  { getActiveDataSource }: OhifContext["extensionManager"],
  { studyInstanceUid, seriesInstanceUid }: StoredSeg,
): Promise<void> {
  const [source] = getActiveDataSource();
  if (!source) throw new Error("the viewer has no data source");
  // OHIF keeps a study's metadata by `${source}:${study}` since 3.12, by the study alone before, and does not look again
  // while it has any. Afterwards it would take this one series for the whole study.
  const forget = () => {
    source.deleteStudyMetadataPromise?.(`${source.getConfig?.().name}:${studyInstanceUid}`);
    source.deleteStudyMetadataPromise?.(studyInstanceUid);
  };
  forget();
  await source.retrieve.series.metadata({
    StudyInstanceUID: studyInstanceUid,
    filters: { seriesInstanceUID: [seriesInstanceUid] },
    madeInClient: true,
  });
  forget();
}

/**
 * OHIF since 3.13 refuses bits that end in an odd number of bytes, which DICOM pads to an even one, and where a frame begins
 * within a byte it takes the bits of each byte in the wrong order. It gets the file without the pad, and the labels are put right.
 */
async function loadRightly(
  { instance, displaySetInstanceUID }: DisplaySet,
  source: DataSource | undefined,
  load: () => Promise<unknown> | undefined,
): Promise<void> {
  const client = source?.retrieve.prefetchInstanceFrames && source.retrieve.getWadoDicomWebClient?.();
  if (!client || !instance) {
    await load();
    return;
  }
  let bits: OddBits | undefined;
  const own = client.retrieveInstance;
  client.retrieveInstance = async (options) => {
    const file = await own.call(client, options);
    bits = oddBitsOf(file, instance);
    return bits?.file ?? file;
  };
  try {
    await load();
  } finally {
    client.retrieveInstance = own;
  }
  if (bits) relabelByBits(instance, bits, labelLayersOf(displaySetInstanceUID));
}
