import type { StoredSeg } from "../state/viewer-port.ts";
import type { DisplaySet, OhifContext } from "./types.ts";

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
    await displaySet.load({ headers: userAuthenticationService.getAuthorizationHeader() ?? {} });
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
