import type { ChangeLabels, SegmentRuns, VolumeShape } from "../state/viewer-port.ts";

/** What is used of cornerstone, which OHIF puts on the window: our own words, as for OHIF. */
interface CornerstoneWindow {
  readonly cornerstone?: {
    readonly cache: { getImage(imageId: string): LabelImage | undefined };
    readonly metaData: { get(type: "imagePlaneModule", imageId: string): ImagePlane | undefined };
  };
  readonly cornerstoneTools?: {
    readonly segmentation: {
      readonly state: {
        getSegmentation(
          id: string,
        ):
          | { readonly representationData: { readonly Labelmap?: { readonly imageIds?: readonly string[] } } }
          | undefined;
      };
      readonly triggerSegmentationEvents: { triggerSegmentationDataModified(segmentationId: string): void };
    };
  };
}

export interface LabelImage {
  readonly rows: number;
  readonly columns: number;
  readonly referencedImageId: string;
  readonly voxelManager: { getScalarData(): Uint8Array; setScalarData?(labels: Uint8Array): void };
}

interface ImagePlane {
  readonly imagePositionPatient?: readonly number[];
  readonly rowCosines?: readonly number[];
  readonly columnCosines?: readonly number[];
}

/** The image ids in the order of the volume's slices: upwards along row x column, wherever each lies in the list. */
export function sortedAlongNormal(imageIds: readonly string[]): readonly string[] | undefined {
  const { cornerstone } = globalThis as CornerstoneWindow;
  const placed = imageIds.map((imageId) => {
    const plane = cornerstone?.metaData.get("imagePlaneModule", imageId);
    return { imageId, height: plane && heightOf(plane) };
  });
  if (placed.some(({ height }) => height === undefined || !Number.isFinite(height))) return undefined;
  return placed.sort((a, b) => (a.height ?? 0) - (b.height ?? 0)).map(({ imageId }) => imageId);
}

function heightOf({ imagePositionPatient: at, rowCosines: r, columnCosines: c }: ImagePlane): number | undefined {
  if (!at || !r || !c) return undefined;
  const [rx = 0, ry = 0, rz = 0] = r;
  const [cx = 0, cy = 0, cz = 0] = c;
  const normal = [ry * cz - rz * cy, rz * cx - rx * cz, rx * cy - ry * cx];
  return normal.reduce((sum, part, axis) => sum + part * (at[axis] ?? Number.NaN), 0);
}

/** A segmentation's labels, slice by slice in the order of the volume. */
export interface Labelmap {
  readonly shape: VolumeShape;
  /** @returns whether it was changed */
  change(sliceIndex: number, change: ChangeLabels): boolean;
  labels(sliceIndex: number): Uint8Array;
  /** Tells the viewports. */
  redraw(): void;
}

/** Its maps, each by the image that its labels lie on; several where segments overlap. */
export function labelLayersOf(segmentationId: string): readonly ReadonlyMap<string, LabelImage>[] {
  const { cornerstone, cornerstoneTools } = globalThis as CornerstoneWindow;
  const { state } = cornerstoneTools?.segmentation ?? {};
  const layers: Map<string, LabelImage>[] = [];
  for (const imageId of state?.getSegmentation(segmentationId)?.representationData.Labelmap?.imageIds ?? []) {
    const image = cornerstone?.cache.getImage(imageId);
    if (!image) return [];
    const { referencedImageId } = image;
    let layer = layers.find((one) => !one.has(referencedImageId));
    if (!layer) {
      layer = new Map();
      layers.push(layer);
    }
    layer.set(referencedImageId, image);
  }
  return layers;
}

/** Undefined where it holds no labels, or those of segments that overlap. */
export function labelmapOf(segmentationId: string): Labelmap | undefined {
  const { cornerstoneTools } = globalThis as CornerstoneWindow;
  const state = cornerstoneTools?.segmentation;
  const [byReference, second] = labelLayersOf(segmentationId);
  if (!byReference || second) return undefined;
  const images = sortedAlongNormal([...byReference.keys()])?.flatMap((id) => byReference.get(id) ?? []);
  const [first] = images ?? [];
  if (!images || !first) return undefined;
  const at = (sliceIndex: number) => {
    const image = images[sliceIndex];
    if (!image) throw new RangeError(`slice ${sliceIndex} of ${images.length}`);
    return image;
  };
  return {
    shape: { columns: first.columns, rows: first.rows, slices: images.length },
    labels: (sliceIndex) => at(sliceIndex).voxelManager.getScalarData(),
    change: (sliceIndex, change) => {
      const { voxelManager } = at(sliceIndex);
      const labels = voxelManager.getScalarData();
      const changed = change(sliceIndex, labels);
      if (changed) voxelManager.setScalarData?.(labels);
      return changed;
    },
    redraw: () => state?.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId),
  };
}

export function sameShape(a: VolumeShape, b: VolumeShape): boolean {
  return a.columns === b.columns && a.rows === b.rows && a.slices === b.slices;
}

/** Numbers from 0 up to `count`, those nearest to `first` before the others. */
export function nearestFirst(count: number, first = 0): readonly number[] {
  return Array.from({ length: count }, (_, n) => n).sort((a, b) => Math.abs(a - first) - Math.abs(b - first));
}

/** The runs of each segment, slice by slice. */
export function runsOfSegments(labelmap: Labelmap, segmentNumbers: readonly number[]): readonly SegmentRuns[] {
  const { slices } = labelmap.shape;
  return segmentNumbers.map((segmentNumber) => ({
    segmentNumber,
    slices: Array.from({ length: slices }, (_, sliceIndex) => ({
      sliceIndex,
      runs: runsOf(labelmap.labels(sliceIndex), segmentNumber),
    })).filter(({ runs }) => runs.length > 1),
  }));
}

function runsOf(labels: Uint8Array, segmentNumber: number): number[] {
  const runs: number[] = [];
  let inside = false;
  let length = 0;
  for (let p = 0; p < labels.length; p++) {
    if ((labels[p] === segmentNumber) !== inside) {
      runs.push(length);
      inside = !inside;
      length = 0;
    }
    length++;
  }
  runs.push(length);
  return runs;
}
