import { decodeSeg, decodeSeries, maskOffSlices, maskOnto } from "#converters/dicom/index.ts";
import { type OverlayInput, overlayPicture, type RgbPicture } from "#converters/picture/index.ts";
import type { StoredResults } from "./edit-series.ts";
import type { Ports, SeriesRef } from "./ports.ts";
import type { SeriesQuestion } from "./question.ts";
import type { StoredObject } from "./store-results.ts";

export interface PictureRequest extends Pick<SeriesQuestion, "volume" | "resample"> {
  readonly series: SeriesRef;
  /** The stored SEG. */
  readonly of: StoredObject;
}

/** Three planes through what a stored SEG holds, over its images. @throws as segmentSeries does */
export async function pictureOfResult(
  { source, results }: Pick<Ports, "source"> & { readonly results: StoredResults },
  { series: wanted, of, volume: volumeIndex, resample }: PictureRequest,
  { signal }: { readonly signal: AbortSignal },
): Promise<RgbPicture> {
  const { volume } = await decodeSeries(source.instances(wanted, { signal }), {
    signal,
    ...(volumeIndex !== undefined && { volume: volumeIndex }),
    ...(resample !== undefined && { resample }),
  });
  const seg = decodeSeg(await results.fetch(of, { signal }));
  const { geometry, stack } = volume;
  const masks: OverlayInput["masks"] = seg.segments.map(({ number, label }) => {
    const mask = maskOnto(seg, number, stack ?? geometry);
    return { name: label, mask: stack ? maskOffSlices(mask, stack, geometry.size) : mask };
  });
  return overlayPicture({ volume, masks });
}
