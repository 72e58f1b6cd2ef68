import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resizeBicubicUint8, sliceOutput } from "#converters/pixels/index.ts";
import { compare, type Report } from "../figure.ts";
import { interleave } from "../interleave.ts";
import { openTorch } from "./torch-process.ts";

const IMAGE = 512;
const LOGITS = 128;
const SLICES = 20;
const PROMPTS = 20;
const ROUNDS = 15;
/** This side's loops run in one thread, so the other's do too. */
const THREADS = 1;
/** CT that was reconstructed smaller and larger than the network's pictures; at 512 there is nothing to resize. */
const SIDES = [400, 630];
/** Of masks, pixels that may differ: where a probability lies at the threshold but for rounding. */
const MOST_DIFFERENT = 1e-5;

/** What is asked of both; torch by itself, which merges nothing, and with an argmax over the prompts, which is upstream's merge. */
const OUTPUTS = [
  { words: "overlapping masks", merge: "overlapping", probabilities: false, peers: [["masks", "masks"]] },
  {
    words: "exclusive masks",
    merge: "exclusive",
    probabilities: false,
    peers: [
      ["masks", "masks, not merged"],
      ["labels", "merged by argmax"],
    ],
  },
  {
    words: "exclusive masks and 8-bit probabilities",
    merge: "exclusive",
    probabilities: true,
    peers: [
      ["probabilities", "masks, not merged, and 8-bit probabilities"],
      ["labels+probabilities", "merged by argmax, and 8-bit probabilities"],
    ],
  },
] as const;

/** What comes before the network and after it, beside PyTorch's F.interpolate on the same numbers. */
export async function againstTorch(report: Report): Promise<void> {
  for (const side of SIDES) {
    const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
    try {
      const planes = noise(SLICES * side * side, (value) => value * 256, Uint8Array);
      const logits = blobs();
      await writeFile(join(folder, "planes.u8"), planes);
      await writeFile(join(folder, "logits.f32"), new Uint8Array(logits.buffer));
      const torch = await openTorch(folder, String(side), String(PROMPTS), String(THREADS));
      if ("missing" in torch) {
        report.note(`*** LEFT OUT: resizing beside PyTorch: ${torch.missing} ***`);
        return;
      }
      await using _ = torch;
      report.note(`resizing beside PyTorch ${torch.greeting}, ${side} x ${side} ...`);
      await torch.ask("write");
      const peer = async (what: string) => Number(await torch.ask(what)) * 1000;
      const name = `torch ${torch.greeting}`;

      const pictures = new Uint8Array(SLICES * IMAGE * IMAGE);
      const resizeIn = () => {
        for (let s = 0; s < SLICES; s++) {
          const out = pictures.subarray(s * IMAGE * IMAGE, (s + 1) * IMAGE * IMAGE);
          resizeBicubicUint8(
            planes.subarray(s * side * side, (s + 1) * side * side),
            [side, side],
            [IMAGE, IMAGE],
            out,
          );
        }
      };
      resizeIn();
      checkSame(`${side} x ${side} resized`, pictures, await readFile(join(folder, "in.u8")), 0);
      const into = await interleave(ROUNDS, { ours: timed(resizeIn), peer: () => peer("in") });
      const what = `${SLICES} slices of ${side}x${side} to ${IMAGE}x${IMAGE}`;
      report.figure(compare(what, "ms", into.ours, { name, samples: into.peer }));
      if (side !== SIDES[0]) continue;

      const existence = new Float32Array(PROMPTS).fill(4);
      for (const { words, merge, probabilities, peers } of OUTPUTS) {
        const output = sliceOutput({
          plane: [IMAGE, IMAGE],
          imageSize: IMAGE,
          logitSize: LOGITS,
          nearest: "centre",
          prompts: PROMPTS,
          merge,
          thresholds: { mask: 0.5, existence: 0.5, nmsIou: 0.5 },
          probabilities,
        });
        const answer = () => output(logits, existence);
        const masks = Buffer.concat(answer().map(({ mask }) => mask ?? new Uint8Array(IMAGE * IMAGE)));
        const [ours, theirs] = merge === "overlapping" ? [masks, "out.u8"] : [labelled(masks), "labels.u8"];
        checkSame(words, ours, await readFile(join(folder, theirs)), MOST_DIFFERENT);
        const figure = `${PROMPTS} prompts of ${LOGITS}x${LOGITS} logits to ${words}`;
        for (const [asked, what] of peers) {
          const out = await interleave(ROUNDS, { ours: timed(answer), peer: () => peer(asked) });
          report.figure(compare(figure, "ms", out.ours, { name: `${name}: ${what}`, samples: out.peer }));
        }
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

function timed(work: () => unknown): () => Promise<number> {
  return async () => {
    const begun = performance.now();
    work();
    return performance.now() - begun;
  };
}

/** Masks that share no pixel as labels: 0 for none, p + 1 for prompt p. */
function labelled(masks: Uint8Array): Uint8Array {
  const pixels = IMAGE * IMAGE;
  const labels = new Uint8Array(pixels);
  for (let n = 0; n < masks.length; n++) if (masks[n] === 1) labels[n % pixels] = Math.floor(n / pixels) + 1;
  return labels;
}

function checkSame(what: string, ours: Uint8Array, theirs: Uint8Array, most: number): void {
  let different = Math.abs(ours.length - theirs.length);
  for (let n = 0; n < ours.length; n++) if (ours[n] !== theirs[n]) different++;
  if (different > most * ours.length)
    throw new Error(`${what}: ${different} of ${ours.length} values differ from PyTorch's`);
}

/** An organ for each prompt: a ball with a rough edge, in a place of its own that meets its neighbours'. */
function blobs(): Float32Array {
  const rough = noise(PROMPTS * LOGITS * LOGITS, (value) => 2 * value - 1, Float32Array);
  return rough.map((value, n) => {
    const [x, y, p] = [n % LOGITS, Math.floor(n / LOGITS) % LOGITS, Math.floor(n / LOGITS ** 2)];
    const [i, j] = [((p % 5) + 0.5) * (LOGITS / 5), (Math.floor(p / 5) + 0.5) * (LOGITS / 4)];
    return value + (18 - Math.hypot(x - i, y - j)) / 2;
  });
}

/** @param of a number in [0, 1) */
function noise<T extends Uint8Array | Float32Array>(
  length: number,
  of: (value: number) => number,
  type: new (length: number) => T,
): T {
  const values = new type(length);
  let state = 1;
  for (let n = 0; n < length; n++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[n] = of((state >>> 0) / 2 ** 32);
  }
  return values;
}
