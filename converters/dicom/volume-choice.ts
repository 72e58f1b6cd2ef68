import { UnsupportedSeriesError } from "../errors.ts";
import type { ImageFrame } from "./image-frame.ts";
import { distinctHeights, sameOrientation, sameSize } from "./slice-order.ts";
import { nameOfVolume, namesOfOthers } from "./volume-names.ts";
import { TRAITS, type Trait, type VolumeTraits } from "./volume-traits.ts";

/** One volume out of a series that may hold several. */
export interface VolumeChoice {
  readonly frames: readonly ImageFrame[];
  /** What to tell the user; none where the series holds one volume. */
  readonly notes: readonly string[];
}

/** Frames that are one volume, or that no header tells apart. */
type Cell = readonly ImageFrame[];

/**
 * Splits a series into its volumes (stacks, time points, echoes, b-values, image types) and takes one, never a mixture.
 * Volumes are numbered by their lowest Instance Number and frame; which order the instances came in does not matter.
 *
 * @param volume counted from 0; where it is left out it is 0, except that slices of several orientations or sizes, which no
 * header calls volumes, are given back unsplit.
 * @throws UnsupportedSeriesError "several-volumes" where there is no such volume.
 */
export function chooseVolume(frames: readonly ImageFrame[], volume: number | undefined): VolumeChoice {
  const { cells, traits } = splitByTraits(frames);
  const even = cells.map(byGeometry);
  if (volume === undefined && even.some((parts) => parts.length > 1)) {
    return { frames: cells[even.findIndex((parts) => parts.length > 1)]!, notes: [] };
  }
  const volumes = even.flat().sort((a, b) => compareFrames(earliest(a), earliest(b)));
  const geometry = volumes.length > cells.length ? ["orientation or size"] : [];
  const chosen = volumes[volume ?? 0];
  const numbered =
    volumes.length === 1 ? "one volume, number 0" : `${volumes.length} volumes, 0 to ${volumes.length - 1}`;
  if (chosen === undefined) {
    throw new UnsupportedSeriesError(
      "several-volumes",
      `Volume ${volume} was asked for, but the series holds ${numbered}. Choose one of these.`,
      { volumes: volumes.length },
    );
  }
  if (volumes.length === 1) return { frames: chosen, notes: [] };
  const by = [...traits, ...geometry].join(", ");
  const names = volumes.map((frames) => nameOfVolume(frames, traits));
  const name = names[volume ?? 0] ? ` (${names[volume ?? 0]})` : "";
  const others = namesOfOthers(names, volume ?? 0);
  return {
    frames: chosen,
    notes: [
      `The series holds ${numbered}, told apart by ${by}; volume ${volume ?? 0} was read${name}. Others are chosen by number${others && `: ${others}`}.`,
    ],
  };
}

function splitByTraits(frames: readonly ImageFrame[]): { readonly cells: readonly Cell[]; readonly traits: string[] } {
  const traits: string[] = [];
  const note = (trait: string) => {
    if (!traits.includes(trait)) traits.push(trait);
  };
  let cells: readonly Cell[] = splitByStack(frames);
  if (cells.length > 1) note("stack");
  for (const trait of TRAITS.slice(1)) {
    cells = cells.flatMap((cell) => {
      const parts = splitByTrait(cell, trait);
      if (parts.length > 1) note(trait);
      return parts;
    });
  }
  cells = cells.flatMap((cell) => {
    const parts = splitByOrder(cell);
    if (parts.length > 1) note("instance number");
    return parts;
  });
  return { cells, traits };
}

/** A stack is one by definition (PS3.3 section C.7.6.16.2.2): a lone frame is none. */
function splitByStack(frames: Cell): readonly Cell[] {
  const stacks = [...Map.groupBy(frames, ({ traits }) => traits.stack).values()];
  return stacks.every(({ length }) => length > 1) ? stacks : [frames];
}

/**
 * Splits frames of repeated positions where a trait makes whole volumes of them: each part has all positions that the
 * cell has. One part may have fewer: the last time point of a scan that was stopped. Images of one position are no volumes.
 */
function splitByTrait(cell: Cell, trait: Trait): readonly Cell[] {
  const positions = positionsOf(cell);
  const covered = countPositions(positions, cell);
  if (covered === cell.length || covered < 2) return [cell];
  const parts = [...Map.groupBy(cell, ({ traits }) => traits[trait]).values()];
  const whole = parts.filter((part) => countPositions(positions, part) === covered);
  return parts.length > 1 && whole.length >= parts.length - 1 && whole.length > 0 ? parts : [cell];
}

/** Where every position occurs equally often: the first of each in the order of time and number, the second of each, ... */
function splitByOrder(cell: Cell): readonly Cell[] {
  const positions = positionsOf(cell);
  const groups = [...Map.groupBy(cell, (frame) => positions.get(frame)).values()];
  const times = groups[0]?.length ?? 0;
  if (times < 2 || groups.length < 2 || groups.some(({ length }) => length !== times)) return [cell];
  const sorted = groups.map((group) => group.toSorted(compareFrames));
  const ordered = sorted.every((group) =>
    group.every((frame, n) => n === 0 || compareFrames(group[n - 1]!, frame) < 0),
  );
  return ordered ? Array.from({ length: times }, (_, n) => sorted.map((group) => group[n]!)) : [cell];
}

/** Frames of one orientation, one matrix and one pixel spacing each. */
function byGeometry(cell: Cell): readonly Cell[] {
  const groups: ImageFrame[][] = [];
  for (const frame of cell) {
    const group = groups.find(
      ([first]) => sameOrientation(first!.plane, frame.plane) && sameSize(first!.plane, frame.plane),
    );
    if (group) group.push(frame);
    else if (groups.length < MAX_GEOMETRIES) groups.push([frame]);
    else return [cell];
  }
  return groups;
}

/** More kinds of planes than this in one series are no stacks. */
const MAX_GEOMETRIES = 100;

/** A number for the place of each frame: frames of one orientation at one height share it. */
function positionsOf(cell: Cell): ReadonlyMap<ImageFrame, number> {
  const positions = new Map<ImageFrame, number>();
  let next = 0;
  for (const group of byGeometry(cell)) {
    const heights = distinctHeights(group.map(({ plane }) => plane));
    for (const [n, frame] of group.entries()) positions.set(frame, next + heights.indexOf[n]!);
    next += heights.count;
  }
  return positions;
}

function countPositions(positions: ReadonlyMap<ImageFrame, number>, cell: Cell): number {
  return new Set(cell.map((frame) => positions.get(frame))).size;
}

function earliest(cell: Cell): ImageFrame {
  return cell.reduce((first, frame) => (compareFrames(frame, first) < 0 ? frame : first));
}

/** By number first, as the scanner counted; then by what else there is. */
function compareFrames(a: ImageFrame, b: ImageFrame): number {
  return (
    compare(a.traits.instanceNumber, b.traits.instanceNumber) ||
    compare(a.frame, b.frame) ||
    compareTraits(a.traits, b.traits)
  );
}

function compareTraits(a: VolumeTraits, b: VolumeTraits): number {
  for (const trait of TRAITS) {
    const difference = compare(a[trait], b[trait]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
}
