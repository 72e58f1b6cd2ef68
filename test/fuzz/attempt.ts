import { gunzipSync, gzipSync } from "node:zlib";
import {
  contoursOnto,
  decodeSeries,
  decodeStructureSet,
  type InstanceSource,
  openSeg,
  openSeries,
  readPart10,
  segToLabelVolume,
} from "#converters/dicom/index.ts";
import { DomainError } from "#converters/errors.ts";
import { readNifti, readNiftiPair } from "#converters/nifti/index.ts";
import type { Specimen } from "./corpus.ts";
import { mutated } from "./mutations.ts";
import { type Random, randomOf } from "./random.ts";

/** One file of the corpus, damaged as the seed and the number of the case say, with what is read beside it. */
export interface FuzzCase {
  readonly specimen: Specimen;
  readonly bytes: Uint8Array;
  readonly siblings: readonly Uint8Array[];
}

export function fuzzCase(specimens: readonly Specimen[], seed: number, n: number): FuzzCase {
  const random = randomOf(seed, n);
  const kind = random.pick(["series", "series", "seg", "nifti", "structures"] as const);
  const candidates = specimens.filter((specimen) => specimen.kind === kind);
  const specimen = random.pick(candidates.length > 0 ? candidates : specimens);
  return {
    specimen,
    bytes: damaged(specimen.read(), random, random.pick(specimens).read()),
    siblings: specimen.siblings.map((read) => read()),
  };
}

/** A gzipped file is mostly damaged inside: else nothing but the gunzip is tried. */
function damaged(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || random.chance(0.2)) return mutated(bytes, random, other);
  return gzipSync(mutated(new Uint8Array(gunzipSync(bytes)), random, other), { level: 1 });
}

/** "read", or "refused" where each reading ended in a typed error. Anything else is thrown. */
export async function attempt({ specimen, bytes, siblings }: FuzzCase): Promise<"read" | "refused"> {
  const outcomes: ("read" | "refused")[] = [];
  const reading = async (read: () => unknown) => {
    try {
      await read();
      outcomes.push("read");
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      outcomes.push("refused");
    }
  };
  if (specimen.kind === "nifti") {
    await reading(() => readNifti(bytes, { volumeIndex: 0 }));
    for (const image of siblings) await reading(() => readNiftiPair(bytes, image));
  } else {
    await reading(() => readPart10(bytes));
    await reading(() => decodeSeries([bytes, ...siblings], { threads: 0, resample: true, padding: "air" }));
    await reading(() => decodeFetched([bytes, ...siblings]));
    if (specimen.kind === "seg") await reading(async () => segToLabelVolume(await openSeg(bytes)));
    if (specimen.kind === "structures") await reading(() => rasterise(bytes));
  }
  return outcomes.includes("read") ? "read" : "refused";
}

/** Slice by slice, with pixels that are fetched when they are decoded. */
async function decodeFetched(files: readonly Uint8Array[]): Promise<void> {
  const sources = files.map(
    (bytes): InstanceSource => ({
      length: bytes.length,
      async read(into, start) {
        if (start < 0 || start + into.length > bytes.length) throw new RangeError("read beyond the end of the file");
        into.set(bytes.subarray(start, start + into.length));
      },
    }),
  );
  const { decodeSlices } = await openSeries(sources, { threads: 0, padding: "air", petUnits: "activity" });
  await decodeSlices?.(() => {});
}

/** On a small grid of no place in particular. */
function rasterise(bytes: Uint8Array): void {
  for (const roi of decodeStructureSet(bytes).rois) {
    contoursOnto(roi, {
      size: [64, 64, 16],
      ijkToLps: [8, 0, 0, -256, 0, 8, 0, -256, 0, 0, 8, -64, 0, 0, 0, 1],
      frameOfReferenceUid: "2.25.1",
    });
  }
}
