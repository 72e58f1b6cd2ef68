import type { ImageFrame } from "./image-frame.ts";
import type { Trait } from "./volume-traits.ts";

/** Free text and times of day are not told on. */
const UNTOLD: ReadonlySet<Trait> = new Set(["stack", "acquisition time", "content time"]);
/** Code strings have no other characters. */
const CODE_STRING = /^[A-Z0-9 _.\\-]{1,80}$/;

/** What the frames of one volume say of the traits that tell it from others: "echo time 80, b-value 1000"; "" where nothing. */
export function nameOfVolume([first, ...others]: readonly ImageFrame[], traits: readonly string[]): string {
  return (Object.keys(first!.traits) as (keyof ImageFrame["traits"])[])
    .flatMap((trait) => {
      const value = first!.traits[trait];
      if (trait === "instanceNumber" || !traits.includes(trait) || UNTOLD.has(trait)) return [];
      if (value === undefined || others.some((frame) => frame.traits[trait] !== value)) return [];
      return typeof value === "number" || CODE_STRING.test(value) ? [`${trait} ${value}`] : [];
    })
    .join(", ");
}

/** Of more volumes than these the first ones are named. */
const MOST = 12;

/** "1 (b-value 500), 2 (b-value 1000)", without the one that was read; "" where they have no names. */
export function namesOfOthers(names: readonly string[], read: number): string {
  const named = names.flatMap((name, n) => (n === read || name === "" ? [] : [`${n} (${name})`]));
  return named.length > MOST ? `${named.slice(0, MOST).join(", ")}, ...` : named.join(", ");
}
