import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IMAGE_GRAPH, type InstalledBundle, type OpenInferenceManifest } from "#models/index.ts";
import { createBundleModel, createRemoteModel, RemoteModelError } from "#server/engines/index.ts";
import { graphShapes } from "../../server/engines/open-inference/graph-shapes.ts";
import { openRemoteSession } from "../../server/engines/open-inference/remote-session.ts";
import { openServer } from "../../server/engines/open-inference/server.ts";
import { ask } from "../conformance/segmentation-model-suite.ts";
import type { HttpFixture } from "../fixtures/http-fixture.ts";
import {
  type InferAnswer,
  type ServerChanges,
  sendAnswer,
  startInferenceServer,
  writeOpenInferenceModel,
} from "../fixtures/open-inference-server.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";

let folder: string;
let tiny: InstalledBundle;
/** The same with a golden sample in whole grey levels, as an image of bytes has. */
let whole: InstalledBundle;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-served-"));
  tiny = await writeTinyBundle(join(folder, "tiny"));
  const { golden } = tiny.manifest;
  const inWhole = { ...golden, blocks: golden.blocks.map((row) => row.map(Math.floor)), tolerance: 0.1 };
  whole = await writeTinyBundle(join(folder, "whole"), { golden: inWhole });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = { textEncoder: { name: "text" }, imageModel: { name: "image" }, slicesPerRequest: 3, parallel: 4 };

function connect({ url }: Pick<HttpFixture, "url">, changes: Partial<OpenInferenceManifest["server"]> = {}) {
  const server = { url, ...settings, timeoutSeconds: 10, attempts: 3, ...changes };
  return openServer(server, { kind: "value", value: "a-key" }, { firstDelayMs: 1, maxDelayMs: 100 });
}

/** One slice of grey 200 and two prompts, asked of the image graph. */
async function askImage(fixture: Pick<HttpFixture, "url">, changes?: Partial<OpenInferenceManifest["server"]>) {
  const { manifest } = tiny;
  const session = await openRemoteSession(
    connect(fixture, changes),
    settings.imageModel,
    graphShapes(manifest).imageModel,
  );
  const { imageSize: side } = manifest;
  return session.run({
    [IMAGE_GRAPH.image.name]: new Tensor("float32", new Float32Array(3 * side * side).fill(200), [1, 3, side, side]),
    [IMAGE_GRAPH.textTokens.name]: new Tensor("float32", [1, 0, 0, 1], [1, 2, 2]),
  });
}

async function faultOf(changes: ServerChanges, attempts = 1, timeoutSeconds = 10): Promise<unknown> {
  await using fixture = await startInferenceServer(tiny, changes);
  return await askImage(fixture, { attempts, timeoutSeconds }).catch((error: unknown) => error);
}

describe("a graph on a server", () => {
  test.each([
    ["floats", false, 4],
    ["bytes, where it takes them", true, 1],
  ])("gets its image as %s, and answers as it would here", async (_, uint8, bytesOfPixel) => {
    await using fixture = await startInferenceServer(tiny, { uint8 });
    const outputs = await askImage(fixture);
    expect(outputs.mask_logits?.dims).toEqual([1, 2, 8, 8]);
    expect(new Set(outputs.mask_logits?.data as Float32Array)).toEqual(new Set([9, -9]));
    expect([...(outputs.existence_logits!.data as Float32Array)]).toEqual([9, -9]);
    const asked = fixture.requests.at(-1)!;
    const json = Number(asked.headers["inference-header-content-length"]);
    expect(asked.body.length - json).toBe(3 * 32 * 32 * bytesOfPixel + 4 * 4);
    expect(asked.headers.authorization).toBe("Bearer a-key");
  });

  test("as bytes gets no finer grey levels", async () => {
    await using fixture = await startInferenceServer(tiny, { uint8: true });
    const shapes = graphShapes(tiny.manifest).imageModel;
    const session = await openRemoteSession(connect(fixture), settings.imageModel, shapes);
    const image = new Tensor("float32", new Float32Array(3 * 32 * 32).fill(128.5), [1, 3, 32, 32]);
    const asked = session.run({ image, text_tokens: new Tensor("float32", [1, 0], [1, 1, 2]) });
    await expect(asked).rejects.toMatchObject({ fault: "wrong-shape" });
  });

  test("of finer grey levels is never sent bytes", async () => {
    await using fixture = await startInferenceServer(tiny, { uint8: true });
    const shapes = graphShapes({ ...tiny.manifest, input: { dtype: "float32" } }).imageModel;
    const opened = openRemoteSession(connect(fixture), settings.imageModel, shapes);
    await expect(opened).rejects.toMatchObject({ fault: "wrong-shape" });
  });
});

describe("what the server says of itself is checked before it is asked", () => {
  test.each<[string, ServerChanges, string]>([
    ["a model that is missing", { missing: ["image"] }, "model-missing"],
    ["a model that is not ready", { unready: ["image"] }, "model-missing"],
    ["another name of an input", reshaped("inputs", "image", { name: "picture" }), "wrong-shape"],
    ["another side of the image", reshaped("inputs", "image", { shape: [-1, 3, 64, 64] }), "wrong-shape"],
    ["a fixed number of slices", reshaped("inputs", "image", { shape: [1, 3, 32, 32] }), "wrong-shape"],
    ["another order of axes", reshaped("inputs", "image", { shape: [-1, 32, 32, 3] }), "wrong-shape"],
    ["half precision", reshaped("inputs", "image", { datatype: "FP16" }), "wrong-shape"],
    ["another rank of the prompts", reshaped("inputs", "text_tokens", { shape: [-1, 2] }), "wrong-shape"],
    ["no existence", reshaped("outputs", "existence_logits", { name: "scores" }), "wrong-shape"],
    ["coarser masks", reshaped("outputs", "mask_logits", { shape: [-1, -1, 4, 4] }), "wrong-shape"],
    [
      "one input more",
      { metadata: (_, { inputs }) => ({ inputs: [...inputs, { ...inputs[0], name: "more" }] }) },
      "wrong-shape",
    ],
    ["nothing that the protocol knows", { metadata: () => ({ inputs: "many" }) }, "wrong-protocol"],
  ])("%s", async (_, changes, fault) => {
    expect(await faultOf(changes)).toMatchObject({ fault, retryable: false });
  });

  test("a server without binary tensors is not asked for any", async () => {
    await using fixture = await startInferenceServer(tiny, { extensions: ["classification"] });
    await expect(connect(fixture).describe()).rejects.toMatchObject({ fault: "wrong-protocol" });
  });

  function reshaped(side: "inputs" | "outputs", name: string, change: object): ServerChanges {
    return {
      metadata: (model, tensors) =>
        model === "image" && {
          ...tensors,
          [side]: tensors[side].map((one) => (one.name === name ? { ...one, ...change } : one)),
        },
    };
  }
});

describe("a server in trouble is named", () => {
  const json = (answer: InferAnswer, change: (document: Document) => void) => {
    const document = JSON.parse(answer.json) as Document;
    change(document);
    return { ...answer, json: JSON.stringify(document) };
  };
  interface Document {
    outputs: { name: string; datatype: string; shape: number[]; parameters: Record<string, unknown> }[];
  }

  test.each<[string, NonNullable<ServerChanges["trouble"]>, string]>([
    [
      "cut off within its answer",
      (_, response, { json: text, tensors }) => {
        response.writeHead(200, { "Content-Length": "100000", "Inference-Header-Content-Length": text.length });
        response.write(text + tensors.toString("latin1"), () => response.destroy());
      },
      "cut-off",
    ],
    [
      "whole for HTTP, with half of its tensors",
      (_, response, answer) => {
        sendAnswer(response, { ...answer, tensors: answer.tensors.subarray(0, 100) });
      },
      "cut-off",
    ],
    [
      "with masks of another shape",
      (_, response, answer) => {
        sendAnswer(
          response,
          json(answer, ({ outputs }) => {
            outputs[0]!.shape = [2, 1, 8, 8];
          }),
        );
      },
      "wrong-shape",
    ],
    [
      "with masks of another type",
      (_, response, answer) => {
        sendAnswer(
          response,
          json(answer, ({ outputs }) => {
            outputs[0]!.datatype = "INT32";
          }),
        );
      },
      "wrong-shape",
    ],
    [
      "with fewer bytes than its shape has",
      (_, response, answer) => {
        sendAnswer(
          response,
          json(answer, ({ outputs }) => {
            outputs[0]!.parameters = { binary_data_size: 4 };
          }),
        );
      },
      "wrong-shape",
    ],
    [
      "without an output",
      (_, response, answer) => {
        sendAnswer(
          response,
          json(answer, ({ outputs }) => {
            outputs.pop();
          }),
        );
      },
      "wrong-shape",
    ],
    [
      "with tensors in JSON",
      (_, response) => {
        response.end('{"outputs":[]}');
      },
      "wrong-protocol",
    ],
    [
      "with more than it can be",
      (_, response) => {
        response.end(Buffer.alloc(3_000_000));
      },
      "too-large",
    ],
    [
      "400: tensors that it does not take",
      (_, response) => {
        response.writeHead(400).end('{"error":"unexpected shape for input"}');
      },
      "wrong-shape",
    ],
    [
      "400: a model that was unloaded meanwhile",
      (_, response) => {
        response.writeHead(400).end(`{"error":"Request for unknown model: 'image' is not found"}`);
      },
      "model-missing",
    ],
    [
      "401",
      (_, response) => {
        response.writeHead(401).end();
      },
      "unauthorized",
    ],
    [
      "500",
      (_, response) => {
        response.writeHead(500).end();
      },
      "model-failed",
    ],
    [
      "503",
      (_, response) => {
        response.writeHead(503).end();
      },
      "busy",
    ],
  ])("%s", async (_, trouble, fault) => {
    expect(await faultOf({ trouble })).toMatchObject({ fault });
  });

  test("slow, and not there", async () => {
    expect(await faultOf({ trouble: () => {} }, 1, 0.5)).toMatchObject({ fault: "timeout", retryable: true });
    const nobody = askImage({ url: "http://127.0.0.1:9" }, { attempts: 2 });
    await expect(nobody).rejects.toMatchObject({ fault: "unreachable", retryable: true });
  });

  test("but busy for a moment is asked again", async () => {
    const trouble: ServerChanges["trouble"] = (n, response, answer) => {
      if (n === 1) response.writeHead(503, { "Retry-After": "0" }).end();
      else sendAnswer(response, answer);
    };
    expect(await faultOf({ trouble }, 2)).toMatchObject({ existence_logits: { dims: [1, 2] } });
  });
});

describe("a bundle whose graphs are served", () => {
  test("answers to the bit as it does here, several requests at once", async () => {
    await using fixture = await startInferenceServer(whole, { uint8: true });
    const served = await writeOpenInferenceModel(join(folder, "served"), whole, fixture.url);
    await using remote = createRemoteModel(served);
    await using local = createBundleModel(whole);
    const options = { merge: "exclusive", probabilities: true } as const;
    const prompts = ["bright", "dark spot", "kidney"];
    expect(await ask(remote, prompts, options)).toEqual(await ask(local, prompts, options));
    expect(fixture.mostAtOnce()).toBeGreaterThan(1);
    expect(fixture.mostAtOnce()).toBeLessThanOrEqual(served.manifest.server.parallel);
    expect(remote.status().provider).toEqual({ requested: "cpu", actual: "remote", server: "fixture 1.2.3" });
  });

  test("has to answer the bundle's golden sample before anything else", async () => {
    const other = await writeTinyBundle(join(folder, "other"), { golden: { ...tiny.manifest.golden } });
    await using fixture = await startInferenceServer(other, {
      trouble: (_, response, { json, tensors }) =>
        sendAnswer(response, { json, tensors: Buffer.alloc(tensors.length) }),
    });
    await using remote = createRemoteModel(await writeOpenInferenceModel(join(folder, "wrong"), tiny, fixture.url));
    await expect(ask(remote, ["bright"])).rejects.toThrow(/golden sample/);
  });

  test("not there at first, answers as soon as it is", async () => {
    const changes = { missing: ["image"] };
    await using fixture = await startInferenceServer(tiny, changes);
    const served = await writeOpenInferenceModel(join(folder, "late"), tiny, fixture.url);
    await using remote = createRemoteModel(served);
    await expect(ask(remote, ["bright"])).rejects.toMatchObject({ fault: "model-missing" });
    changes.missing.length = 0;
    expect(await ask(remote, ["bright"])).toHaveLength(40);
  });

  test("in the middle of a run that breaks, is named, and answers the next question", async () => {
    await using fixture = await startInferenceServer(tiny, {
      trouble: (n, response, answer) => {
        // The first is the golden sample's.
        if (n === 4) response.writeHead(400).end();
        else sendAnswer(response, answer);
      },
    });
    const served = await writeOpenInferenceModel(join(folder, "breaks"), tiny, fixture.url);
    await using remote = createRemoteModel(served);
    const broken = ask(remote, ["bright"]);
    await expect(broken).rejects.toBeInstanceOf(RemoteModelError);
    await expect(broken).rejects.toMatchObject({ fault: "wrong-shape", status: 400 });
    const { pid } = remote.status();
    expect(await ask(remote, ["bright"])).toHaveLength(40);
    expect(remote.status().pid).toBe(pid);
  });

  test("aborted, ends its requests", async () => {
    const stuck = Promise.withResolvers<void>();
    await using fixture = await startInferenceServer(tiny, {
      trouble: (n, response, answer) => {
        if (n === 1) sendAnswer(response, answer);
        else stuck.resolve();
      },
    });
    const served = await writeOpenInferenceModel(join(folder, "stuck"), tiny, fixture.url);
    await using remote = createRemoteModel(served);
    const abort = new AbortController();
    const reason = new Error("enough");
    const ended = ask(remote, ["bright"], undefined, { signal: abort.signal }).catch((error: unknown) => error);
    await stuck.promise;
    abort.abort(reason);
    expect(await ended).toBe(reason);
    await fixture.abandoned;
  });
});
