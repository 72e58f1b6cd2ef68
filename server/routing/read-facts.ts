import { createHash } from "node:crypto";
import type { OrthancClient, OrthancSeries } from "./orthanc-client.ts";
import type { SeriesFacts } from "./series-facts.ts";

/** What rules ask of a series, from its first instance; undefined where it is gone or holds nothing of a series. */
export async function readFacts(
  client: OrthancClient,
  { instanceIds }: OrthancSeries,
): Promise<SeriesFacts | undefined> {
  const [first] = instanceIds;
  if (first === undefined) return undefined;
  const [raw, header, sendingAe, calledAe] = await Promise.all([
    client.tags(first),
    client.header(first),
    client.metadata(first, "RemoteAET"),
    client.metadata(first, "CalledAET"),
  ]);
  if (!raw) return undefined;
  const tags = new Map(
    Object.entries(raw).flatMap(([keyword, value]) =>
      typeof value === "string" && value.trim() !== "" ? [[keyword, valuesOf(value)] as const] : [],
    ),
  );
  const studyInstanceUid = tags.get("StudyInstanceUID")?.[0];
  const seriesInstanceUid = tags.get("SeriesInstanceUID")?.[0];
  if (!studyInstanceUid || !seriesInstanceUid) return undefined;
  const implementationClassUid = header?.ImplementationClassUID;
  return {
    series: { studyInstanceUid, seriesInstanceUid },
    modality: tags.get("Modality")?.[0] ?? "",
    sliceCount: instanceIds.length,
    // Orthanc's ids are hashes of the identifiers: the same instances have the same ids in every Orthanc.
    instances: createHash("sha256").update(instanceIds.join("\n")).digest("hex"),
    ...(typeof implementationClassUid === "string" && { implementationClassUid: implementationClassUid.trim() }),
    tags,
    ...(sendingAe && { sendingAe }),
    ...(calledAe && { calledAe }),
  };
}

function valuesOf(text: string): readonly string[] {
  return text.split("\\").map((value) => value.trim());
}
