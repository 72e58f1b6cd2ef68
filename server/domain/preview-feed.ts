import { maskOnSlices } from "#converters/dicom/index.ts";
import type { SliceStack, Vec3, Volume } from "#converters/geometry/index.ts";
import { type BitVolume, type PlaneAxis, readSlice, unpackBits } from "#converters/mask/index.ts";
import { runsOf } from "./mask-runs.ts";

/** One prompt's mask on one slice, as far as it is known: later ones about the same slice replace it. */
export interface PreviewSlice {
  readonly promptId: string;
  /** A slice of the series, upwards along the normal, and how many there are: slice k of the volume, unless it was resampled. */
  readonly sliceIndex: number;
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  /** See runsOf. */
  readonly runs: readonly number[];
}

export interface PreviewFeed {
  /** A plane of the mask was written; `plane` is what was written into it. */
  wrote(promptId: string, mask: BitVolume, axis: PlaneAxis, index: number, plane: Uint8Array): void;
  /** Sends what has not been sent. */
  end(): void;
}

/** Whether each slice is an image that a viewer can draw on: not one that was cut out of a mosaic. */
export function canBeShown(volume: Pick<Volume, "sources" | "geometry" | "stack">): boolean {
  const { sources, geometry } = volume.stack ?? volume;
  const slices = new Set(sources.flatMap(({ sliceIndex, pixelsMoved }) => (pixelsMoved ? [] : sliceIndex)));
  return slices.size === geometry.size[2];
}

/** Planes that are no slices change every slice a little: such slices are sent less often. */
const PAUSE_MS = { slice: 100, crossing: 1000 } as const;

/** A slice of noise is not worth its words. */
const MOST_RUNS = 30_000;

/**
 * Tells finished slices in small batches, the first at once.
 * @param stack the slices that are drawn on, where they are not the volume's own
 */
export function previewFeed(
  send: (slices: readonly PreviewSlice[]) => void,
  {
    stack,
    nowMs = () => performance.now(),
  }: { readonly stack?: SliceStack | undefined; readonly nowMs?: () => number } = {},
): PreviewFeed {
  const waiting = new Map<string, { readonly promptId: string; readonly mask: BitVolume; readonly n: number }>();
  let sentAt = Number.NEGATIVE_INFINITY;

  function flush(): void {
    const batch = [...waiting.values()].flatMap(({ promptId, mask, n }) => {
      const [columns, rows, slices] = stack?.geometry.size ?? mask.size;
      const runs = runsOf(
        stack ? unpackBits(maskOnSlices(mask, stack).slice(n), 0, columns * rows) : readSlice(mask, n),
      );
      return runs.length > MOST_RUNS ? [] : { promptId, sliceIndex: n, slices, rows, columns, runs };
    });
    waiting.clear();
    sentAt = nowMs();
    if (batch.length > 0) send(batch);
  }

  return {
    wrote(promptId, mask, axis, index, plane) {
      for (const k of slicesOf(axis, index, plane, mask.size)) {
        for (const n of stack ? nearestTo(k, stack) : [k]) waiting.set(`${promptId} ${n}`, { promptId, mask, n });
      }
      if (nowMs() - sentAt >= (axis === 2 ? PAUSE_MS.slice : PAUSE_MS.crossing)) flush();
    },
    end: () => {
      if (waiting.size > 0) flush();
    },
  };
}

/** The slices k that a plane has a voxel in. */
function slicesOf(axis: PlaneAxis, index: number, plane: Uint8Array, size: Vec3): readonly number[] {
  if (axis === 2) return [index];
  const width = plane.length / size[2];
  return Array.from({ length: size[2] }, (_, k) => k).filter((k) =>
    plane.subarray(k * width, (k + 1) * width).includes(1),
  );
}

/** The slices that show slice k of the volume. */
function nearestTo(k: number, { corners }: SliceStack): readonly number[] {
  return corners.flatMap(([, , level], n) => (Math.round(level) === k ? n : []));
}
