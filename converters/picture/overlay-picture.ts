import type { Vec3, Volume } from "../geometry/index.ts";
import { type BitVolume, findRuns } from "../mask/index.ts";
import { percentileWindow, type ValueRange } from "../pixels/index.ts";
import { drawText, textHeight, textWidth } from "./pixel-font.ts";
import { drawMask, drawVolume, type PlanePicture, pictureSize } from "./plane-picture.ts";
import { type Plane, type PlaneView, planeView } from "./plane-view.ts";

type Colour = readonly [red: number, green: number, blue: number];

export interface OverlayInput {
  readonly volume: Volume;
  /** On the volume's own grid; drawn in this order. */
  readonly masks: readonly {
    readonly name: string;
    readonly mask: BitVolume;
    readonly colour?: Colour;
    /** Whether it is lightly filled within its outline; true where not said. */
    readonly filled?: boolean;
  }[];
  /** In the volume's unit. Where absent: soft tissue (400/40 HU) for CT, 0.5 to 99.5 percent of the positive values else. */
  readonly window?: { readonly width: number; readonly level: number };
}

const planes: readonly Plane[] = ["axial", "coronal", "sagittal"];
const palette: readonly Colour[] = [
  [255, 176, 46],
  [64, 200, 214],
  [236, 94, 140],
  [140, 210, 90],
  [160, 140, 255],
];
const background: Colour = [13, 16, 20];
const ink: Colour = [205, 212, 220];
const tallestPx = 440;
const gapPx = 12;
const fillOpacity = 0.4;

/** A colour picture: red, green and blue of each pixel, row by row. */
export interface RgbPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/**
 * Three planes through the masks side by side (axial, coronal, sagittal; radiological: the patient's right on the left),
 * square pixels, each mask outlined and lightly filled, with the names below.
 */
export function overlayPicture(input: OverlayInput): RgbPicture {
  return drawOverlay(input.volume, rangeOf(input), input.masks.map(drawable(input.volume)));
}

/**
 * A picture of all masks and, where there are several, one of each by itself in the same colour: all of one size. Each takes
 * tenths of a second, so they are drawn one by one as they are asked for.
 */
export function* overlayPages(input: OverlayInput): Generator<RgbPicture, void> {
  const { volume } = input;
  const range = rangeOf(input);
  const masks = input.masks.map(drawable(volume));
  yield drawOverlay(volume, range, masks);
  if (masks.length > 1) for (const mask of masks) yield drawOverlay(volume, range, [mask]);
}

interface DrawableMask {
  readonly name: string;
  readonly mask: BitVolume;
  readonly colour: Colour;
  readonly opacity: number;
  readonly perPlane: readonly Float64Array[];
}

function drawable({ geometry }: Volume) {
  return ({ name, mask, colour, filled = true }: OverlayInput["masks"][number], n: number): DrawableMask => ({
    name,
    mask,
    opacity: filled ? fillOpacity : 0,
    colour: colour ?? palette[n % palette.length]!,
    perPlane: voxelsPerPlane(geometry.size, mask),
  });
}

function drawOverlay(volume: Volume, range: ValueRange, masks: readonly DrawableMask[]): RgbPicture {
  const views = planes.map((plane) => planeView(volume.geometry, plane));
  const { size } = volume.geometry;
  const tallestMm = Math.max(...views.map(({ down }) => size[down.axis] * down.mmPerVoxel));
  const mmPerPixel = tallestMm / tallestPx;
  const sizes = views.map((view) => pictureSize(size, view, mmPerPixel));
  const legendPx = masks.length > 0 ? textHeight * 2 + gapPx : 0;
  const canvas = openCanvas(
    sizes.reduce((sum, { width }) => sum + width + gapPx, gapPx),
    tallestPx + 2 * gapPx + legendPx,
  );
  let left = gapPx;
  views.forEach((view, n) => {
    const { width, height } = sizes[n]!;
    const top = gapPx + Math.floor((tallestPx - height) / 2);
    const index = telling(together(masks, view.normal, size[view.normal]));
    paintGrey(canvas, drawVolume(volume, view, index, { ...range, mmPerPixel }), left, top);
    for (const look of masks) paintMask(canvas, drawMask(look.mask, view, index, mmPerPixel), left, top, look);
    paintSides(canvas, view, left, width);
    left += width + gapPx;
  });
  paintLegend(canvas, masks, tallestPx + 2 * gapPx);
  return canvas.picture;
}

function rangeOf({ volume, window }: OverlayInput): ValueRange {
  if (window) return { lower: window.level - window.width / 2, upper: window.level + window.width / 2 };
  return volume.unit === "HU" ? { lower: -160, upper: 240 } : percentileWindow(volume.voxels);
}

/** Voxels of a mask on each plane that stands on i, on j and on k. */
function voxelsPerPlane([ni, nj, nk]: Vec3, mask: BitVolume): readonly Float64Array[] {
  const [onI, onJ, onK] = [new Float64Array(ni + 1), new Float64Array(nj), new Float64Array(nk)];
  const { first, last, rowStart } = findRuns(mask);
  for (let row = 0; row < nj * nk; row++) {
    let voxels = 0;
    for (let run = rowStart[row]!; run < rowStart[row + 1]!; run++) {
      onI[first[run]!]!++;
      onI[last[run]! + 1]!--;
      voxels += last[run]! - first[run]! + 1;
    }
    onJ[row % nj]! += voxels;
    onK[Math.floor(row / nj)]! += voxels;
  }
  // So far where runs begin and end.
  for (let i = 1; i < ni; i++) onI[i]! += onI[i - 1]!;
  return [onI.subarray(0, ni), onJ, onK];
}

/** Voxels of all masks on each plane that stands on an axis. */
function together(masks: readonly DrawableMask[], axis: 0 | 1 | 2, planes: number): Float64Array {
  const sums = new Float64Array(planes);
  for (const { perPlane } of masks) for (let n = 0; n < planes; n++) sums[n]! += perPlane[axis]![n]!;
  return sums;
}

/** The plane through the masks' centre; where that one shows little of them (a pair of organs), the one that shows most. */
function telling(perPlane: Float64Array): number {
  const total = perPlane.reduce((sum, count) => sum + count, 0);
  if (total === 0) return Math.floor(perPlane.length / 2);
  const centre = Math.round(perPlane.reduce((sum, count, index) => sum + count * index, 0) / total);
  const most = perPlane.reduce((best, count, index) => (count > perPlane[best]! ? index : best), 0);
  return perPlane[centre]! >= 0.4 * perPlane[most]! ? centre : most;
}

interface Canvas {
  readonly picture: RgbPicture;
  /** Mixes a colour in; opacity 0 to 1. Outside the canvas nothing happens. */
  blend(x: number, y: number, colour: Colour, opacity: number): void;
}

function openCanvas(width: number, height: number): Canvas {
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < pixels.length; at++) pixels[at] = background[at % 3]!;
  return {
    picture: { width, height, pixels },
    blend(x, y, colour, opacity) {
      if (x < 0 || y < 0 || x >= width || y >= height) return;
      const at = (y * width + x) * 3;
      for (const c of [0, 1, 2] as const) pixels[at + c] = pixels[at + c]! * (1 - opacity) + colour[c] * opacity;
    },
  };
}

function paintGrey(canvas: Canvas, { width, height, values }: PlanePicture, left: number, top: number): void {
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++, p++) {
      const grey = values[p]! * 255;
      canvas.blend(left + x, top + y, [grey, grey, grey], 1);
    }
  }
}

/** The outline is anti-aliased: a pixel's distance from it is how far its value is from one half, over the slope. */
function paintMask(
  canvas: Canvas,
  picture: PlanePicture,
  left: number,
  top: number,
  { colour, opacity: fill }: { readonly colour: Colour; readonly opacity: number },
): void {
  const { width, height, values } = picture;
  const at = (x: number, y: number) =>
    values[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))]!;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = at(x, y);
      const slope = Math.hypot(at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1)) / 2;
      const outline = slope > 0 ? Math.min(1, Math.max(0, 1.3 - Math.abs(value - 0.5) / slope)) : 0;
      const opacity = Math.max(value >= 0.5 ? fill : 0, outline);
      if (opacity > 0) canvas.blend(left + x, top + y, colour, opacity);
    }
  }
}

function paintSides(canvas: Canvas, { sides }: PlaneView, left: number, width: number): void {
  const top = gapPx + Math.floor((tallestPx - textHeight * 2) / 2);
  paintText(canvas, sides[0], left + 4, top);
  paintText(canvas, sides[1], left + width - 4 - textWidth(sides[1]) * 2, top);
}

function paintLegend(
  canvas: Canvas,
  masks: readonly { readonly name: string; readonly colour: Colour }[],
  top: number,
) {
  let left = gapPx;
  for (const { name, colour } of masks) {
    for (let y = 0; y < textHeight * 2; y++) {
      for (let x = 0; x < textHeight * 2; x++) canvas.blend(left + x, top + y, colour, 1);
    }
    left += textHeight * 2 + 8;
    paintText(canvas, name, left, top);
    left += textWidth(name) * 2 + 2 * gapPx;
  }
}

/** At twice the font's size. */
function paintText(canvas: Canvas, text: string, left: number, top: number): void {
  drawText(text, (x, y) => {
    for (const [dx, dy] of [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ] as const) {
      canvas.blend(left + 2 * x + dx, top + 2 * y + dy, ink, 1);
    }
  });
}
