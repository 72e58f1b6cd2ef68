import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import type { BundleManifest } from "#models/index.ts";
import { ModelUnavailableError } from "#server/domain/index.ts";
import { AnswerMemory } from "../../server/engines/child/answer-memory.ts";
import type { ImageModel } from "../../server/engines/child/image-model.ts";
import { padPrompts } from "../../server/engines/child/image-network.ts";
import type { ModelVolume } from "../../server/engines/child/model-volume.ts";
import { recallingNetwork } from "../../server/engines/child/recalling-network.ts";
import { inGroups, RunBudget } from "../../server/engines/child/run-budget.ts";
import { runError } from "../../server/engines/child/runtime-error.ts";

/** What onnxruntime says where memory cannot be had: its CPU arena, its CUDA arena, cuBLAS, and C++ itself. */
const SHORTAGES = [
  [
    "cpu",
    "Non-zero status code returned while running MatMul node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1073741824",
  ],
  [
    "cuda",
    "Non-zero status code returned while running Conv node. Name:'' Status Message: CUDA error cudaErrorMemoryAllocation:out of memory",
  ],
  ["cuda", "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0"],
  ["cpu", "std::bad_alloc"],
] as const;

const planes = 8;
const manifest = { imageSize: 8, maskStride: 4, hiddenDim: 1 } as BundleManifest;
const volume = {
  input: { planes, writeChannels: (n: number, out: Float32Array, at: number) => void out.fill(n, at, at + 192) },
} as ModelVolume;

/** Answers 10 * slice + prompt; more slices a look, or more prompts a question, than there is room for end in `fault`. */
function scarce(room: { readonly slices: number; readonly prompts: number }, fault: () => Error) {
  const runs: string[] = [];
  const open = new Set<object>();
  const model: ImageModel = {
    looksOnce: true,
    samples: false,
    async look(images, slices) {
      runs.push(`look ${slices}`);
      if (slices > room.slices) throw fault();
      const view = {};
      open.add(view);
      const seen = Array.from({ length: slices }, (_, s) => images[s * 192]!);
      return {
        async ask(tokens) {
          const words = [...(tokens.data as Float32Array)];
          runs.push(`ask ${words.length}`);
          if (words.length > room.prompts) throw fault();
          const answers = seen.flatMap((slice) => words.map((word) => 10 * slice + word));
          return {
            existence_logits: new Tensor("float32", Float32Array.from(answers), [answers.length]),
            mask_logits: new Tensor("float32", new Float32Array(4 * answers.length), [4 * answers.length]),
          };
        },
        close: () => void open.delete(view),
      };
    },
  };
  return { model, runs, open };
}

async function answerAll(model: ImageModel, budget: RunBudget, ahead = 0) {
  const prompts = (count: number, from: number) =>
    padPrompts(
      Array.from({ length: count }, (_, p) => ({ tokens: 1, values: Float32Array.of(from + p) })),
      { padding: "isolate" },
    ).map((padded, p) => ({ ...padded, volume, key: { volume: "v", window: "", text: `${from + p}`, paddedTo: 1 } }));
  const question = { asked: prompts(5, 0), ahead: prompts(ahead, 5), seeds: [0], edges: false };
  const network = recallingNetwork(model, new AnswerMemory(1e6), question, manifest, 4, budget);
  const existence: number[] = [];
  for (const first of [0, 4]) {
    const { draws, lookAhead } = await network.answer(first, 4);
    existence.push(...draws[0]!.existence);
    await lookAhead();
  }
  return existence;
}

const right = Array.from({ length: planes }, (_, slice) => [0, 1, 2, 3, 4].map((prompt) => 10 * slice + prompt)).flat();

test.each(SHORTAGES)(
  "where memory runs short on %s (%s), less is asked at once, and the answers are the same",
  async (device, text) => {
    const shortage = () => runError("The network cannot be computed", new Error(text), device);
    const { model, runs, open } = scarce({ slices: 2, prompts: 3 }, shortage);
    const budget = new RunBudget({ slices: 4, prompts: 16 });
    expect(await answerAll(model, budget)).toEqual(right);
    expect(runs).toEqual([
      ...["look 4", "look 2", "ask 5", "ask 3", "ask 2", "look 2", "ask 3", "ask 2"],
      ...["look 2", "ask 3", "ask 2", "look 2", "ask 3", "ask 2"],
    ]);
    expect(budget.takeNote()).toMatch(/^Memory ran short: .* 3 prompt\(s\) on 2 slice\(s\) at once/);
    expect(budget.takeNote()).toBeUndefined();
    expect(open.size).toBe(0);
  },
);

test("where one prompt is too much beside several slices, there are fewer slices", async () => {
  const shortage = () => runError("The network cannot be computed", new Error("std::bad_alloc"), "cpu");
  let lastLook = 0;
  const inner = scarce({ slices: 4, prompts: 16 }, shortage);
  const model: ImageModel = {
    ...inner.model,
    async look(images, slices, questions) {
      const view = await inner.model.look(images, slices, questions);
      return {
        ...view,
        ask: (tokens, seed) => {
          lastLook = slices;
          return slices > 1 ? Promise.reject(shortage()) : view.ask(tokens, seed);
        },
      };
    },
  };
  const budget = new RunBudget({ slices: 4, prompts: 16 });
  expect(await answerAll(model, budget)).toEqual(right);
  expect(lastLook).toBe(1);
  expect(inner.open.size).toBe(0);
});

test("what is asked ahead is answered on the smaller looks as well", async () => {
  const shortage = () => runError("The network cannot be computed", new Error("std::bad_alloc"), "cpu");
  const { model, open } = scarce({ slices: 2, prompts: 16 }, shortage);
  expect(await answerAll(model, new RunBudget({ slices: 4, prompts: 16 }), 3)).toEqual(right);
  expect(open.size).toBe(0);
});

test("one prompt on one slice that does not fit is an error, with what to do; so is any other fault, at once", async () => {
  const shortage = () => runError("The network cannot be computed", new Error("std::bad_alloc"), "cpu");
  const none = scarce({ slices: 0, prompts: 16 }, shortage);
  const refused = answerAll(none.model, new RunBudget({ slices: 4, prompts: 16 }));
  await expect(refused).rejects.toMatchObject({ cause: expect.any(ModelUnavailableError) });
  await expect(refused).rejects.toThrow(/memory ran out\. Ask again/);
  expect(none.runs).toEqual(["look 4", "look 2", "look 1"]);
  const broken = scarce({ slices: 0, prompts: 16 }, () =>
    runError("The network cannot be computed", new Error("Invalid rank"), "cpu"),
  );
  await expect(answerAll(broken.model, new RunBudget({ slices: 4, prompts: 16 }))).rejects.toThrow("Invalid rank");
  expect(broken.runs).toEqual(["look 4"]);
});

test("no more is asked at first than fits into free memory, and the user is told", async () => {
  const { model, runs } = scarce({ slices: 4, prompts: 16 }, () => new Error("asked too much"));
  const most = { slices: 4, prompts: 16 };
  // A look takes 2128 bytes a pixel with a prompt, each prompt 80; a fifth of what is free is left to others.
  const free = (1 * 2128 * 64) / 0.8 + 1;
  const budget = RunBudget.within(most, free, manifest);
  expect([budget.slices, budget.prompts]).toEqual([2, 14]);
  expect(await answerAll(model, budget)).toEqual(right);
  expect(runs[0]).toBe("look 2");
  expect(budget.takeNote()).toMatch(/^There is little free memory: .* 14 prompt\(s\) on 2 slice\(s\) at once/);
});

test("a machine with nothing free is asked one prompt on one slice; one with plenty, all", () => {
  const most = { slices: 4, prompts: 8 };
  for (const [free, slices, prompts] of [
    [0, 1, 1],
    [-1, 1, 1],
    [1e12, 4, 8],
  ] as const) {
    const budget = RunBudget.within(most, free, { imageSize: 512 });
    expect([budget.slices, budget.prompts]).toEqual([slices, prompts]);
    expect(budget.takeNote() === undefined).toBe(free === 1e12);
  }
});

test("groups are as even as can be", () => {
  const sizes = (items: number, most: number) => inGroups(Array(items).fill(0), most).map(({ length }) => length);
  expect([sizes(32, 16), sizes(17, 16), sizes(5, 3), sizes(3, 16), sizes(0, 4)]).toEqual([
    [16, 16],
    [9, 8],
    [3, 2],
    [3],
    [],
  ]);
});
