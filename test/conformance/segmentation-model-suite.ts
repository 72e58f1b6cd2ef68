import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import { createBitVolume, planeSize, readSlice, setPlane } from "#converters/mask/index.ts";
import {
  InvalidPromptError,
  ModelUnavailableError,
  type Prompt,
  type Run,
  type SegmentationModel,
  type SegmentOptions,
  type SliceResult,
  type Stage,
} from "#server/domain/index.ts";
import { lampAt, twoLamps } from "../fixtures/two-lamps.ts";

/** What the suite must know of a model. */
export interface ModelUnderTest {
  readonly model: SegmentationModel;
  readonly modality: "CT" | "MR";
  /** The prompt that finds the two lamps. */
  readonly lamps: string;
  /** Another prompt that it knows, that lies elsewhere. */
  readonly rest: string;
  /** What becomes of words that it does not know. */
  readonly unknownWords: "absent" | "refused";
  /** Whether it says how likely an object exists; otherwise its masks alone tell. */
  readonly scored: boolean;
  /** Of the process that computes it now, where there is one. */
  pid?(): number | undefined;
  /** Loads it before it is asked, where that can be done. */
  warm?(): Promise<void>;
}

const overlapping: SegmentOptions = { merge: "overlapping", probabilities: false };

/** What every SegmentationModel keeps to. */
export function describeSegmentationModel(name: string, open: () => Promise<ModelUnderTest>): void {
  describe(`${name} is a SegmentationModel`, () => {
    let under: Awaited<ReturnType<typeof opened>>;
    beforeAll(async () => {
      under = await opened(open);
    });
    afterAll(() => under.model[Symbol.asyncDispose]());

    test("it finds what is there, where it is", async () => {
      const results = await under.ask([under.lamps]);
      expect(diceWithLamps(results)).toBeGreaterThan(0.75);
    });

    test("words that it does not know find nothing, or are refused", async () => {
      const asked = under.ask(["left kidney"]);
      if (under.unknownWords === "refused") {
        await expect(asked).rejects.toBeInstanceOf(InvalidPromptError);
        return;
      }
      const results = await asked;
      expect(results.some(({ mask }) => mask !== undefined)).toBe(false);
      expect(results.every(({ existence }) => (existence !== null) === under.scored && (existence ?? 0) < 0.5)).toBe(
        true,
      );
    });

    test("each prompt answers each plane at most once, on the volume's own grid", async () => {
      const results = await under.ask([under.lamps, under.rest], { ...overlapping, probabilities: true });
      const { size } = twoLamps().geometry;
      const seen = new Set(results.map(({ promptId, axis, index }) => `${promptId} ${axis} ${index}`));
      expect(seen.size).toBe(results.length);
      for (const { axis, index, existence, mask, probability, promptId } of results) {
        const [width, height] = planeSize(size, axis);
        expect(["p1", "p2"]).toContain(promptId);
        expect(index).toBeLessThan(size[axis]);
        if (existence !== null) expect(existence).toBeLessThanOrEqual(1);
        if (mask) expect(mask.length).toBe(width * height);
        if (mask) expect(mask.every((pixel) => pixel === 0 || pixel === 1)).toBe(true);
        expect(probability?.length).toBe(width * height);
      }
    });

    test("no probability comes unasked", async () => {
      expect((await under.ask([under.lamps])).some(({ probability }) => probability)).toBe(false);
    });

    test("exclusive masks never share a voxel, and each keeps its own", async () => {
      const results = await under.ask([under.lamps, under.rest], { merge: "exclusive", probabilities: false });
      const [bright, rest] = ["p1", "p2"].map((id) => gather(results.filter(({ promptId }) => promptId === id)));
      expect(bright!.bits.some((byte, n) => (byte & rest!.bits[n]!) !== 0)).toBe(false);
      expect(bright!.bits.some(Boolean) && rest!.bits.some(Boolean)).toBe(true);
    });

    test("the same question gives the same answer", async () => {
      const once = await under.ask([under.lamps, under.rest]);
      expect(await under.ask([under.lamps, under.rest])).toEqual(once);
    });

    test("progress rises within each stage and ends at 1", async () => {
      const heard: [Stage, number][] = [];
      await under.ask([under.lamps], overlapping, { progress: (...one) => heard.push([one[0], one[1]]) });
      const stages = Map.groupBy(heard, ([stage]) => stage);
      expect([...stages.keys()]).toEqual(["prepare", "infer"]);
      for (const steps of stages.values()) {
        const fractions = steps.map(([, fraction]) => fraction);
        expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
        expect(fractions.at(-1)).toBe(1);
      }
    });

    test("two questions at once queue up, and both are answered", async () => {
      const alone = await under.ask([under.lamps]);
      const inTurn: string[] = [];
      const heard = (who: string) => (stage: Stage) => stage === "infer" && inTurn.at(-1) !== who && inTurn.push(who);
      const both = await Promise.all(
        ["first", "second"].map((who) => under.ask([under.lamps], overlapping, { progress: heard(who) })),
      );
      expect(both).toEqual([alone, alone]);
      expect(inTurn).toEqual(["first", "second"]);
    });

    test("an aborted run rejects with the signal's reason within a second, and the next one works", async () => {
      const abort = new AbortController();
      const reason = new Error("enough");
      let abortedAt = Number.NaN;
      const running = under.ask([under.lamps], overlapping, {
        signal: abort.signal,
        onResult: () => {
          abortedAt = performance.now();
          abort.abort(reason);
        },
      });
      await expect(running).rejects.toBe(reason);
      expect(performance.now() - abortedAt).toBeLessThan(1000);
      expect(diceWithLamps(await under.ask([under.lamps]))).toBeGreaterThan(0.75);
    });

    test("who is aborted while waiting leaves the queue, and holds up nobody", async () => {
      const abort = new AbortController();
      const reason = new Error("no longer");
      const first = under.ask([under.lamps]);
      const second = under.ask([under.lamps], overlapping, { signal: abort.signal });
      const third = under.ask([under.lamps]);
      abort.abort(reason);
      await expect(second).rejects.toBe(reason);
      expect(await third).toEqual(await first);
    });

    test("a signal that is aborted beforehand starts nothing", async () => {
      await using fresh = await opened(open);
      const reason = new Error("too late");
      await expect(fresh.ask([fresh.lamps], overlapping, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(fresh.pid?.()).toBeUndefined();
    });

    test("warmed, it is loaded and proved before the first question, which the same process answers", async ({
      skip,
    }) => {
      await using fresh = await opened(open);
      if (!fresh.warm) return skip();
      await fresh.warm();
      const pid = fresh.pid?.();
      expect(pid).toBeGreaterThan(0);
      expect(fresh.model.computedOn?.()).toMatch(/./);
      expect(diceWithLamps(await fresh.ask([fresh.lamps]))).toBeGreaterThan(0.75);
      expect(fresh.pid?.()).toBe(pid);
    });

    test("leaving the iteration early stops the work, and the next run works", async () => {
      for await (const _ of segment(under.model, [under.lamps], overlapping, under)) break;
      expect(diceWithLamps(await under.ask([under.lamps]))).toBeGreaterThan(0.75);
    });

    test.each([
      ["an empty prompt", ""],
      ["a blank prompt", "  "],
      ["a prompt of 10,000 characters", "a".repeat(10_000)],
    ])("%s is refused", async (_, text) => {
      await expect(under.ask([text])).rejects.toBeInstanceOf(InvalidPromptError);
    });

    test("an image of another modality is refused", async () => {
      const refusal = under.ask([under.lamps], overlapping, { modality: "US" });
      await expect(refusal).rejects.toBeInstanceOf(UnsupportedSeriesError);
      await expect(refusal).rejects.toMatchObject({ reason: "wrong-modality" });
    });

    test("once closed, it answers no more", async () => {
      const closed = await opened(open);
      await closed.model[Symbol.asyncDispose]();
      await expect(closed.ask([closed.lamps])).rejects.toBeInstanceOf(ModelUnavailableError);
    });
  });
}

async function opened(open: () => Promise<ModelUnderTest>) {
  const under = await open();
  return {
    ...under,
    ask: (texts: readonly string[], options?: SegmentOptions, asking: Asking = {}) =>
      ask(under.model, texts, options, { modality: under.modality, ...asking }),
    [Symbol.asyncDispose]: () => under.model[Symbol.asyncDispose](),
  };
}

interface Asking extends Partial<Run> {
  /** What the lamps are said to be; those of "CT" are in HU. */
  readonly modality?: string;
  onResult?(): void;
}

/** All that the model says about the two lamps. */
export async function ask(
  model: SegmentationModel,
  texts: readonly string[],
  options = overlapping,
  { onResult, ...asking }: Asking = {},
): Promise<SliceResult[]> {
  const results: SliceResult[] = [];
  for await (const result of segment(model, texts, options, asking)) {
    results.push(result);
    onResult?.();
  }
  return results;
}

function segment(
  model: SegmentationModel,
  texts: readonly string[],
  options: SegmentOptions,
  { modality, signal = new AbortController().signal, progress = () => {}, note = () => {} }: Asking = {},
): AsyncIterable<SliceResult> {
  const prompts: Prompt[] = texts.map((text, n) => ({ id: `p${n + 1}`, text }));
  const volume = { ...twoLamps(modality === "CT" ? "CT" : "MR"), ...(modality && { modality }) };
  return model.segment(volume, prompts, options, { signal, progress, note });
}

function gather(results: readonly SliceResult[]) {
  const volume = createBitVolume(twoLamps().geometry.size);
  for (const { axis, index, mask } of results) if (mask) setPlane(volume, axis, index, mask);
  return volume;
}

/** Dice's coefficient of what was found with the two lamps. */
export function diceWithLamps(results: readonly SliceResult[], lamp?: "left" | "right"): number {
  const found = gather(results);
  const [ni, nj, nk] = found.size;
  let [both, inMask, inLamps] = [0, 0, 0];
  for (let k = 0; k < nk; k++) {
    const slice = readSlice(found, k);
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++) {
        const inside = slice[j * ni + i] === 1;
        const at = lampAt(i, j, k);
        const lit = at !== undefined && (lamp === undefined || at === lamp);
        if (inside) inMask++;
        if (lit) inLamps++;
        if (inside && lit) both++;
      }
    }
  }
  return (2 * both) / (inMask + inLamps);
}
