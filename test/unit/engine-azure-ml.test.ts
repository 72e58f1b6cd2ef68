import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromColumns } from "#converters/geometry/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { AzureMlManifest, ModelBundleError } from "#models/index.ts";
import { createRemoteModel, type RemoteKeys, RemoteModelError } from "#server/engines/index.ts";
import { ask, diceWithLamps } from "../conformance/segmentation-model-suite.ts";
import { KEY, readRequest, startAzureEndpoint, writeAzureModel } from "../fixtures/azure-endpoint.ts";
import { collect } from "../fixtures/collect.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-azure-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const withKey: RemoteKeys = { azureMl: { kind: "value", value: KEY } };
const exclusive = { merge: "exclusive", probabilities: false } as const;
const overlapping = { merge: "overlapping", probabilities: false } as const;

let models = 0;
async function openModel(
  url: string,
  changes: Parameters<typeof writeAzureModel>[2] = {},
  remoteKeys: RemoteKeys = withKey,
) {
  return createRemoteModel(await writeAzureModel(join(folder, `model-${models++}`), url, changes), { remoteKeys });
}

describe("what leaves the machine", () => {
  test("is voxels, voxel size, axes and the words of the prompts: nothing else of the series", async () => {
    await using server = await startAzureEndpoint("labels");
    await using model = await openModel(server.url);
    const { geometry, ...rest } = twoLamps();
    const secret = {
      ...rest,
      geometry: {
        ...geometry,
        ijkToLps: fromColumns([2, 0, 0], [0, 2, 0], [0, 0, 2], [-63.125, -417.25, 1939.5]),
        frameOfReferenceUid: "1.2.826.99.1",
      },
      sources: Array.from({ length: geometry.size[2] }, (_, sliceIndex) => ({
        sopClassUid: "1.2.840.10008.5.1.4.1.1.4",
        sopInstanceUid: `1.2.826.99.2.${sliceIndex}`,
        sliceIndex,
        positionLps: [-63.125, -417.25, 1939.5 + 2 * sliceIndex] as const,
      })),
    };
    const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
    await collect(model.segment(secret, [{ id: "a-private-id", text: "bright" }], exclusive, run));

    const [request] = server.requests;
    expect(Object.keys(request!.headers).sort()).toEqual([
      "accept",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
    ]);
    expect(request!.path).toBe("/score");
    const { file, prompts } = readRequest(request!);
    expect(prompts).toEqual(["bright"]);
    // gzip: no name, no comment, no time of the file (RFC 1952).
    expect([...file.subarray(0, 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    const nifti = gunzipSync(file);
    expect(nifti.length).toBe(352 + rest.voxels.length);
    expect(new Set(nifti.subarray(352))).toEqual(new Set([0, 102, 255]));

    // Of the header, all that is not one of these numbers is zero: every field for text, time or extensions.
    const numbers: readonly (readonly [from: number, to: number])[] = [
      [0, 4], // sizeof_hdr
      [40, 56], // dim
      [70, 74], // datatype, bitpix
      [76, 92], // pixdim 0 to 3
      [108, 116], // vox_offset, scl_slope
      [123, 124], // xyzt_units
      [252, 280], // codes of both forms, quaternion, offset
      [280, 328], // sform
      [344, 348], // magic
    ];
    const others = nifti.subarray(0, 352).filter((_, at) => !numbers.some(([from, to]) => at >= from && at < to));
    expect(others.every((byte) => byte === 0)).toBe(true);
    const { geometry: sent } = readNifti(file);
    expect([3, 7, 11].map((n) => Math.abs(sent.ijkToLps[n]!))).toEqual([0, 0, 0]);
    for (const bytes of [request!.body, nifti]) {
      for (const word of ["1.2.826", "a-private-id", "elsewhere", "tiny"]) expect(bytes.includes(word)).toBe(false);
    }
  });

  test("never over a network that can listen in, and no address holds a key", async () => {
    for (const url of ["http://10.0.0.7", "http://endpoint.example", "https://user:secret@endpoint.example"]) {
      await expect(openModel(url)).rejects.toThrow();
    }
    await expect(openModel("https://endpoint.example")).resolves.toBeDefined();
  });

  test("and a manifest with such an address is refused where it lies", async () => {
    const { manifest } = await writeAzureModel(join(folder, "good"), "http://127.0.0.1:1");
    const bad = { ...manifest, endpoint: { ...manifest.endpoint, url: "http://endpoint.example/score?key=secret" } };
    expect(AzureMlManifest.safeParse(bad).success).toBe(false);
    expect(new ModelBundleError("manifest.json", "").retryable).toBe(false);
  });
});

describe("one question", () => {
  test("is one request: gzipped NIfTI on the manifest's axes, prompts joined by &", async () => {
    await using server = await startAzureEndpoint("labels");
    await using model = await openModel(server.url, { endpoint: { deployment: "blue" } });
    const results = await ask(model, ["bright", "dark"], exclusive);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.headers["azureml-model-deployment"]).toBe("blue");
    const { file, prompts } = readRequest(server.requests[0]!);
    expect(prompts).toEqual(["bright", "dark"]);
    const { geometry, voxels } = readNifti(file);
    // L A S: j runs to the front, so the second row of the world is negative.
    expect([geometry.ijkToLps[0], geometry.ijkToLps[5], geometry.ijkToLps[10]]).toEqual([2, -2, 2]);
    expect(voxels).toBeInstanceOf(Uint8Array);
    expect(diceWithLamps(results.filter(({ promptId }) => promptId === "p1"))).toBe(1);
  });

  test("of overlapping masks is one request for each prompt, since a label map overlaps nowhere", async () => {
    await using server = await startAzureEndpoint("labels");
    await using model = await openModel(server.url);
    const results = await ask(model, ["bright", "bright lamp"], overlapping);
    expect(server.requests.map((request) => readRequest(request).prompts)).toEqual([["bright"], ["bright lamp"]]);
    for (const id of ["p1", "p2"]) expect(diceWithLamps(results.filter(({ promptId }) => promptId === id))).toBe(1);
  });

  test("on a CT is one request for each window, and masks still share no voxel", async () => {
    await using server = await startAzureEndpoint("probabilities");
    const target = (name: string, window: string) => ({ name, synonyms: [], window });
    await using model = await openModel(server.url, {
      targets: [target("bright", "dense"), target("dark", "wide")],
      windows: { presets: { wide: { width: 510, level: 0 }, dense: { width: 510, level: 1000 } }, default: "wide" },
    });
    const results = await ask(model, ["bright", "dark", "bright light"], exclusive, { modality: "CT" });
    expect(server.requests.map((request) => readRequest(request).prompts)).toEqual([
      ["bright"],
      ["dark", "bright light"],
    ]);
    for (const planes of Map.groupBy(results, ({ index }) => index).values()) {
      const masks = planes.flatMap(({ mask }) => mask ?? []);
      expect(masks.length < 2 || masks[0]!).toBeTruthy();
      const pixels = planes.map(({ mask }) => mask).filter((mask) => mask !== undefined);
      for (let p = 0; p < 64 * 64; p++) expect(pixels.filter((mask) => mask[p]).length).toBeLessThan(2);
    }
  });

  test('with "&" in a prompt asks for both words with "and", and says so', async () => {
    await using server = await startAzureEndpoint("labels");
    await using model = await openModel(server.url);
    const notes: string[] = [];
    await ask(model, ["bright & shiny", "dark"], exclusive, { note: (text) => notes.push(text) });
    expect(readRequest(server.requests[0]!).prompts).toEqual(["bright and shiny", "dark"]);
    expect(notes).toEqual([expect.stringMatching(/"&" was sent as "and"/)]);
  });

  test("a threshold counts where the endpoint gives probabilities, and is said not to where it gives masks", async () => {
    const strict = { ...overlapping, maskThreshold: 0.999, existenceThreshold: 0.7 };
    for (const [form, notes] of [
      ["probabilities", [/existence threshold/]],
      ["labels", [/existence threshold/, /mask threshold/]],
    ] as const) {
      await using server = await startAzureEndpoint(form);
      await using model = await openModel(server.url, { percentiles: { low: 0, high: 99, positiveOnly: false } });
      const told: string[] = [];
      await ask(model, ["bright"], strict, { note: (text) => told.push(text) });
      expect(told).toEqual(notes.map((note) => expect.stringMatching(note)));
    }
  });

  test("probabilities come as they are, before the threshold", async () => {
    await using server = await startAzureEndpoint("probabilities");
    await using model = await openModel(server.url);
    const results = await ask(model, ["bright", "dark"], { merge: "exclusive", probabilities: true });
    const greys = new Set(results.flatMap(({ probability }) => [...probability!]));
    // Of grey levels 0, 102 and 255: 1 / (1 + exp((128 - grey) / 8)), and the rest to 1.
    expect([...greys].toSorted((a, b) => a - b)).toEqual([0, 10, 245, 255]);
  });
});

describe("a model whose endpoint is in trouble", () => {
  test("tells what it is, and answers the next question by the same process", async () => {
    await using server = await startAzureEndpoint("labels", (n, response, answer) => {
      if (n === 1) response.writeHead(424).end("an error with a patient's name");
      else response.end(answer());
    });
    await using model = await openModel(server.url);
    const failed = ask(model, ["bright"]);
    await expect(failed).rejects.toBeInstanceOf(RemoteModelError);
    await expect(failed).rejects.toMatchObject({ fault: "model-failed", status: 424, retryable: true });
    await expect(failed).rejects.not.toThrow(/patient/);
    const { pid } = model.status();
    expect(diceWithLamps(await ask(model, ["bright"]))).toBe(1);
    expect(model.status()).toMatchObject({ pid, provider: { actual: "remote" } });
  });

  test("asks nothing without the right key, and gets it from a file anew for each request", async () => {
    await using server = await startAzureEndpoint("labels");
    const file = join(folder, "key");
    await using model = await openModel(server.url, {}, { azureMl: { kind: "file", file } });
    await expect(ask(model, ["bright"])).rejects.toThrow(/ENOENT/);
    await writeFile(file, "old\n");
    const refused = ask(model, ["bright"]);
    await expect(refused).rejects.toMatchObject({ fault: "unauthorized", status: 401, retryable: false });
    await expect(refused).rejects.toThrow(/PARSE3D_AZURE_ML_KEY/);
    await writeFile(file, `${KEY}\n`);
    expect(diceWithLamps(await ask(model, ["bright"]))).toBe(1);
    expect(server.requests).toHaveLength(2);
  });

  test("aborted, ends its request", async () => {
    await using server = await startAzureEndpoint("labels", () => {});
    await using model = await openModel(server.url);
    const reason = new Error("enough");
    const abort = new AbortController();
    const running = ask(model, ["bright"], exclusive, { signal: abort.signal });
    const ended = running.catch((error: unknown) => error);
    await server.asked;
    abort.abort(reason);
    expect(await ended).toBe(reason);
    await server.abandoned;
  });
});
