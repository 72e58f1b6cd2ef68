import type { Vec3, Volume } from "#converters/geometry/index.ts";
import { type BitVolume, type PlaneAxis, readSlice } from "#converters/mask/index.ts";
import { runsOf } from "./mask-runs.ts";

/** One prompt's mask on one slice, as far as it is known: later ones about the same slice replace it. */
export interface PreviewSlice {
  readonly promptId: string;
  /** Slice k of the volume, and how many there are. */
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

/** Whether each slice is an image that a viewer can draw on: not one that was resampled, or cut out of a mosaic. */
export function canBeShown({ sources, geometry }: Pick<Volume, "sources" | "geometry">): boolean {
  const slices = new Set(sources.flatMap(({ sliceIndex, pixelsMoved }) => (pixelsMoved ? [] : sliceIndex)));
  return slices.size === geometry.size[2];
}

/** Planes that are no slices change every slice a little: such slices are sent less often. */
const PAUSE_MS = { slice: 100, crossing: 1000 } as const;

/** A slice of noise is not worth its words. */
const MOST_RUNS = 30_000;

/** Tells finished slices in small batches, the first at once. */
export function previewFeed(
  send: (slices: readonly PreviewSlice[]) => void,
  nowMs: () => number = () => performance.now(),
): PreviewFeed {
  const waiting = new Map<string, { readonly promptId: string; readonly mask: BitVolume; readonly k: number }>();
  let sentAt = Number.NEGATIVE_INFINITY;

  function flush(): void {
    const batch = [...waiting.values()].flatMap(({ promptId, mask, k }) => {
      const [columns, rows, slices] = mask.size;
      const runs = runsOf(readSlice(mask, k));
      return runs.length > MOST_RUNS ? [] : { promptId, sliceIndex: k, slices, rows, columns, runs };
    });
    waiting.clear();
    sentAt = nowMs();
    if (batch.length > 0) send(batch);
  }

  return {
    wrote(promptId, mask, axis, index, plane) {
      for (const k of slicesOf(axis, index, plane, mask.size)) waiting.set(`${promptId} ${k}`, { promptId, mask, k });
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
