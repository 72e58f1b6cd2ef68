import { setTimeout as sleep } from "node:timers/promises";
import type { SeriesRef } from "#server/domain/index.ts";
import { arrivingSeries, sendTo } from "../../test/fixtures/arrivals.ts";

export const SLICES = 24;
export const SIDE = 64;

/** Series n of a day: another size of bone in each, by another manufacturer. The same n gives the same bytes. */
export function scannedSeries(n: number, seed: string): { readonly series: SeriesRef; readonly files: Uint8Array[] } {
  const { series, slices } = arrivingSeries(`${seed} ${n}`, {
    Rows: SIDE,
    Columns: SIDE,
    PixelSpacing: "1.5\\1.5",
    PixelData: disc(SIDE / 4 + (n % (SIDE / 5))),
  });
  return { series, files: slices(SLICES) };
}

/** A disc of bone in soft tissue in air, as stored values (HU + 1024), row by row. */
function disc(radius: number): Uint8Array {
  const words = new Uint16Array(SIDE * SIDE);
  for (let j = 0; j < SIDE; j++) {
    for (let i = 0; i < SIDE; i++) {
      const distance = Math.hypot(i - SIDE / 2, j - SIDE / 2);
      words[j * SIDE + i] = distance < radius / 2 ? 1024 + 700 : distance < radius ? 1024 + 40 : 24;
    }
  }
  return new Uint8Array(words.buffer);
}

/** Sends series 0 to `count` - 1 one after the other, never more than `ahead` before what `done` tells. */
export async function scanDay(
  orthancUrl: string,
  { seed, count, ahead, done }: { seed: string; count: number; ahead: number; done: () => number },
): Promise<void> {
  for (let n = 0; n < count; n++) {
    while (n - done() >= ahead) await sleep(100);
    await sendTo(orthancUrl, scannedSeries(n, seed).files);
  }
}
