import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BundleManifest, createClipTokenizer, sentPhrase, TEXT_GRAPH } from "#models/index.ts";
import { InvalidPromptError } from "#server/domain/index.ts";
import { createRemoteModel } from "#server/engines/index.ts";
import { openBundleEngine } from "../../server/engines/child/bundle-engine.ts";
import type { Reply } from "../../server/engines/child/engine.ts";
import { type ImageModel, wholeImageModel } from "../../server/engines/child/image-model.ts";
import type { OnnxSession, Tensors } from "../../server/engines/child/onnx-runtime.ts";
import type { Begin } from "../../server/engines/protocol.ts";
import { ask } from "../conformance/segmentation-model-suite.ts";
import { startInferenceServer, writeOpenInferenceModel } from "../fixtures/open-inference-server.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

let folder: string;
const sessions: InferenceSession[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-phrasing-"));
});
afterAll(async () => {
  for (const session of sessions) await session.release();
  await rm(folder, { recursive: true, force: true });
});

const tokenizer = createClipTokenizer();
const quiet: Reply = { progress: async () => {}, note: async () => {}, planes: async () => {} };
let variants = 0;

/** The engine of a tiny bundle, and the token ids of all texts that its text graph reads from then on. */
async function openWatched(changes: Partial<BundleManifest>) {
  const tiny = await writeTinyBundle(join(folder, `${variants++}`), changes);
  const { textEncoder, imageModel } = tiny.manifest.files;
  const [text, image] = await Promise.all(
    [textEncoder, imageModel].map(({ name }) => InferenceSession.create(join(tiny.folder, name))),
  );
  sessions.push(text!, image!);
  const read: string[] = [];
  const watched: OnnxSession = {
    run: async (inputs) => {
      const { dims, data } = inputs[TEXT_GRAPH.input.name]!;
      const [prompts, length] = dims as [number, number];
      for (let p = 0; p < prompts; p++)
        read.push(idsOf((data as BigInt64Array).subarray(p * length, (p + 1) * length)));
      return (await text!.run(inputs)) as Tensors;
    },
    release: () => text!.release(),
  };
  const whole = wholeImageModel(image as OnnxSession, tiny.manifest);
  // Targets are answered ahead only by what looks at an image once.
  const looking: ImageModel = { ...whole, looksOnce: true };
  const engine = await openBundleEngine(tiny, {
    provider: { requested: "cpu", actual: "cpu" },
    text: watched,
    image: looking,
    sliceBatch: 4,
    parallel: 1,
  });
  read.length = 0;
  return {
    read,
    async ask(texts: readonly string[], modality: "CT" | "MR" = "CT", ahead: readonly string[] = []) {
      const { geometry, voxels, unit } = twoLamps(modality);
      const question: Begin = {
        kind: "begin",
        volume: {
          key: modality,
          size: [...geometry.size],
          ijkToLps: geometry.ijkToLps,
          modality,
          unit,
          voxelType: "Int16Array",
        },
        prompts: texts.map((words, n) => ({ id: `p${n + 1}`, text: words })),
        merge: "exclusive",
        probabilities: false,
        anticipate: { candidates: [...ahead], most: ahead.length },
      };
      engine.check(question);
      if (engine.needsVoxels(question)) await engine.prepare(question, voxels.slice(), quiet);
      await engine.answer(question, quiet);
    },
  };
}

/** Ids up to the end token, as text that can be compared. */
function idsOf(padded: BigInt64Array): string {
  const ids = [...padded].map(Number);
  return String(ids.slice(0, ids.indexOf(tokenizer.endId) + 1));
}
const tokensOf = (words: string) => String(tokenizer.encode(words));

describe("the tokens that reach the text graph", () => {
  test.each([undefined, "as-typed"] as const)(
    "of a bundle whose phrasing is %s are those of the words",
    async (phrasing) => {
      const { ask, read } = await openWatched(phrasing ? { phrasing } : {});
      await ask(["spleen", "Left Kidney", "bright"]);
      expect(read).toEqual(["spleen", "Left Kidney", "bright"].map(tokensOf));
    },
  );

  test("of one that is asked in sentences are the sentence's where the words name a target, by its name or a synonym", async () => {
    const { ask, read } = await openWatched({ phrasing: "sentence" });
    await ask(["Spleen", "right renal cyst", "bright", "left spleen", "splean"]);
    expect(read).toEqual(
      [
        "CT imaging of the spleen within the abdomen",
        "CT imaging of the right kidney cyst",
        "bright",
        "left spleen",
        "splean",
      ].map(tokensOf),
    );
  });

  test("are those of the image's modality", async () => {
    const { ask, read } = await openWatched({ phrasing: "sentence" });
    await ask(["gallbladder"], "MR");
    await ask(["gallbladder"], "CT");
    expect(read).toEqual(
      ["gallbladder in abdomen MRI", "CT imaging of the gallbladder within the abdomen"].map(tokensOf),
    );
  });

  test("of targets answered ahead are their sentences', and what was asked by another name is not asked ahead", async () => {
    const { ask, read } = await openWatched({ phrasing: "sentence" });
    await ask(["large bowel"], "CT", ["colon", "liver"]);
    expect(read).toEqual(
      ["CT imaging of the colon within the abdomen", "CT imaging of the liver within the abdomen"].map(tokensOf),
    );
  });
});

test("how long a prompt is counts as it is sent", async () => {
  const wordy = `${"a ".repeat(90)}spleen`;
  const asTyped = await openWatched({ overlongPrompts: "refuse" });
  await expect(asTyped.ask([wordy])).rejects.toBeInstanceOf(InvalidPromptError);
  const { ask, read } = await openWatched({ overlongPrompts: "refuse", phrasing: "sentence" });
  await ask([wordy]);
  expect(read).toEqual([tokensOf("CT imaging of the spleen within the abdomen")]);
});

test("a bundle that is served elsewhere is asked in sentences as it is here", async () => {
  const tiny = await writeTinyBundle(join(folder, "served-bundle"), { phrasing: "sentence" });
  await using fixture = await startInferenceServer(tiny);
  const served = await writeOpenInferenceModel(join(folder, "served"), tiny, fixture.url);
  expect(served.card.phrasing).toBe("sentence");
  await using remote = createRemoteModel(served);
  await ask(remote, ["spleen"], undefined, { modality: "MR" });
  const sent = tokenizer.encode(sentPhrase("spleen", "MR", served.card)!);
  const bytes = Buffer.from(BigInt64Array.from(sent, BigInt).buffer);
  const bodies = fixture.requests.filter(({ path }) => path.includes("/text/infer")).map(({ body }) => body);
  expect(bodies.filter((body) => body.includes(bytes))).toHaveLength(1);
});
