import type { Volume } from "#converters/geometry/index.ts";
import { overlayPicture } from "#converters/picture/index.ts";
import { pngOf } from "../png.ts";
import type { Compared, Row } from "./evaluate.ts";

/** Three planes of a case with both outlines, as a PNG. */
export interface CasePicture {
  readonly row: Row;
  readonly png: Uint8Array;
}

/** Those of the lowest Dice, the lowest first. */
export interface WorstPictures {
  add(compared: Compared): void;
  /** A case that broke off counts nowhere. @param number its place in the list, from 1 */
  leaveOut(number: number): void;
  readonly pictures: readonly CasePicture[];
  /** Rows whose pictures are not among them. */
  readonly left: number;
}

const REFERENCE = [90, 220, 120] as const;
const PREDICTION = [255, 150, 40] as const;

export function worstPictures(atMost: number): WorstPictures {
  let pictures: CasePicture[] = [];
  let seen: number[] = [];
  return {
    get pictures() {
      return pictures;
    },
    get left() {
      return seen.length - pictures.length;
    },
    add(compared) {
      seen.push(compared.row.case);
      // What neither has there is nothing to look at, and comes last.
      const rank = ({ dice = 2 }: Row) => dice;
      const last = pictures.at(-1);
      const isAmong = pictures.length < atMost || (last !== undefined && rank(compared.row) < rank(last.row));
      if (!isAmong) return;
      const picture = { row: compared.row, png: drawn(compared) };
      pictures = [...pictures, picture].sort((a, b) => rank(a.row) - rank(b.row)).slice(0, atMost);
    },
    leaveOut(number) {
      seen = seen.filter((one) => one !== number);
      pictures = pictures.filter(({ row }) => row.case !== number);
    },
  };
}

function drawn({ image, geometry, reference, prediction }: Compared): Uint8Array {
  const picture = overlayPicture({
    volume: image ?? black(geometry),
    masks: [
      { name: "reference", mask: reference, colour: REFERENCE, filled: false },
      { name: "prediction", mask: prediction, colour: PREDICTION, filled: false },
    ],
  });
  return pngOf(picture);
}

function black(geometry: Volume["geometry"]): Volume {
  const [ni, nj, nk] = geometry.size;
  return { geometry, voxels: new Uint8Array(ni * nj * nk), unit: "arbitrary", modality: "OT", sources: [] };
}
