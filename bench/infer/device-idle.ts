import { setTimeout as sleep } from "node:timers/promises";
import { serialize } from "node:v8";
import { Tensor } from "onnxruntime-node";
import { fromColumns } from "#converters/geometry/index.ts";
import type { BundleManifest } from "#models/index.ts";
import { AnswerMemory } from "../../server/engines/child/answer-memory.ts";
import { answerSlices } from "../../server/engines/child/answer-slices.ts";
import type { ImageModel } from "../../server/engines/child/image-model.ts";
import { modelVolume } from "../../server/engines/child/model-volume.ts";
import { type KeyedPrompt, recallingNetwork } from "../../server/engines/child/recalling-network.ts";
import { LeaseQueue } from "../../server/engines/lease-queue.ts";
import type { Begin } from "../../server/engines/protocol.ts";
import { compare, type Report } from "../figure.ts";
import { interleave } from "../interleave.ts";

const SIDE = 512;
const SLICES = 40;
const PROMPTS = 15;
const ROUNDS = 3;
/** What a GPU needs for a slice with 15 prompts: most of it for the look. */
const LOOK_MS = 70;
const ASK_MS = 10;

const manifest = {
  imageSize: SIDE,
  maskStride: 4,
  hiddenDim: 1,
  nearest: "centre",
  orientation: "any",
  sliceAxis: "axial",
  input: { dtype: "uint8" },
  percentiles: { low: 0.5, high: 99.5, positiveOnly: true },
  windows: { presets: { wide: { width: 400, level: 40 } }, default: "wide" },
  thresholds: { mask: 0.5, existence: 0.5, nmsIou: 0.5 },
} as unknown as BundleManifest;

/**
 * How much of the time between its first and its last run a device waits for this side, where slices are pipelined as the
 * inference process does, and where they are not. The device is one that sleeps: it takes what a GPU does, and no processor.
 */
export async function deviceIdle(report: Report): Promise<void> {
  report.note("the device's idle share, on a device that sleeps ...");
  const prompts = askedOf(PROMPTS);
  const share = (parallel: number) => async () => {
    const device = sleepingDevice();
    const network = recallingNetwork(
      device.model,
      new AnswerMemory(0),
      { asked: prompts, ahead: [], seeds: [0], edges: false },
      manifest,
      1,
    );
    const volume = prompts[0]!.volume;
    const question = {
      prompts: prompts.map((_, p) => ({ id: `p${p}` })),
      merge: "exclusive",
      probabilities: true,
    } as unknown as Begin;
    const reply = {
      progress: async () => {},
      note: async () => {},
      // What sending to another process costs this one.
      planes: async (planes: unknown) => void serialize(planes),
    };
    await answerSlices(volume, network, question, manifest, { sliceBatch: 1, parallel, draws: 1 }, reply);
    return 100 * device.idleShare();
  };
  const samples = await interleave(ROUNDS, { ours: share(2), oneByOne: share(1) });
  const what = `idle share of a device of ${LOOK_MS + ASK_MS} ms a slice, ${PROMPTS} prompts with probabilities`;
  report.figure(compare(what, "%", samples.ours, { name: "not pipelined", samples: samples.oneByOne }));
}

/** Masks of balls, one after another in place. */
function sleepingDevice() {
  const side = SIDE / manifest.maskStride;
  const logits = Float32Array.from({ length: PROMPTS * side * side }, (_, n) => {
    const [x, y, p] = [n % side, Math.floor(n / side) % side, Math.floor(n / side ** 2)];
    return 12 - Math.hypot(x - ((p % 4) + 0.5) * 32, y - (Math.floor(p / 4) + 0.5) * 32);
  });
  const queue = new LeaseQueue();
  const never = new AbortController().signal;
  let [started, ended, busy] = [Number.NaN, Number.NaN, 0];
  const work = async (ms: number) => {
    if (Number.isNaN(started)) started = performance.now();
    // The sleep itself ends late where the processor is busy: that is waiting, too.
    await sleep(ms);
    busy += ms;
    ended = performance.now();
  };
  const model: ImageModel = {
    looksOnce: true,
    samples: false,
    turn: () => queue.acquire(never),
    async look() {
      await work(LOOK_MS);
      return {
        async ask({ dims: [, prompts = 0] }) {
          await work((ASK_MS * prompts) / PROMPTS);
          return {
            mask_logits: new Tensor("float32", logits.slice(0, prompts * side * side), [1, prompts, side, side]),
            existence_logits: new Tensor("float32", new Float32Array(prompts).fill(4), [1, prompts]),
          };
        },
        close: () => {},
      };
    },
  };
  return { model, idleShare: () => 1 - busy / (ended - started) };
}

function askedOf(count: number): readonly KeyedPrompt[] {
  const size = [SIDE, SIDE, SLICES] as const;
  const voxels = Int16Array.from({ length: SIDE * SIDE * SLICES }, (_, n) => Math.imul(n, 0x9e3779b9) >> 20);
  const ijkToLps = fromColumns([0.7, 0, 0], [0, 0.7, 0], [0, 0, 1], [0, 0, 0]);
  const header = { key: "k", size, ijkToLps, modality: "CT", unit: "HU", voxelType: "Int16Array" } as const;
  const volume = modelVolume(voxels, { ...header, size: [...size] }, manifest);
  return Array.from({ length: count }, (_, p) => ({
    volume,
    embedding: { tokens: 1, values: Float32Array.of(p) },
    paddedTo: 1,
    key: { volume: "k", window: "wide", text: String(p), paddedTo: 1 },
  }));
}
