import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KNOWN_MODELS, ModelBundleError, ModelDownloadError, openModelStore } from "../../models/index.ts";
import { weightsPath } from "../fixtures/shared-data.ts";

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "store-")), "models");
});
afterEach(() => rm(join(folder, ".."), { recursive: true }));

const namesOf = async () => (await openModelStore(folder).list()).map(({ card }) => card.name);

describe("the built-in model", () => {
  test("is built where it is absent, in less than two seconds, and left alone afterwards", async () => {
    const store = openModelStore(folder);
    expect(await store.list()).toEqual([]);
    const start = performance.now();
    const { densityCt: built } = await store.ensureBuiltIn();
    expect(performance.now() - start).toBeLessThan(2000);
    expect(built.folder).toBe(join(folder, "density-ct"));
    await writeFile(join(built.folder, "a-users-note"), "");
    expect((await store.ensureBuiltIn()).densityCt).toEqual(built);
    expect(await readdir(built.folder)).toContain("a-users-note");
    expect(await namesOf()).toEqual(["brain-t1-unet", "density-ct"]);
  });

  test("is built again where it is damaged", async () => {
    const store = openModelStore(folder);
    const { card } = (await store.ensureBuiltIn()).densityCt;
    await truncate(join(folder, "density-ct", "image_model.onnx"), 10);
    expect(await store.inspect()).toMatchObject({ broken: [{ error: { file: "image_model.onnx" } }] });
    expect((await store.ensureBuiltIn()).densityCt.card).toEqual(card);
  });

  test("is built again where it is of another version", async () => {
    const store = openModelStore(folder);
    const { card } = (await store.ensureBuiltIn()).densityCt;
    const path = join(folder, "density-ct", "manifest.json");
    await writeFile(
      path,
      (await readFile(path, "utf8")).replaceAll(`"version": "${card.version}"`, '"version": "0.0.1"'),
    );
    expect((await store.list()).find((one) => one.card.name === card.name)?.card.version).toBe("0.0.1");
    expect((await store.ensureBuiltIn()).densityCt.card).toEqual(card);
  });

  test("is one whole model when several builders start at once, in this process and in others", async () => {
    const store = JSON.stringify(join(import.meta.dirname, "../../models/store.ts"));
    const script = `const { openModelStore } = await import(${store}); await openModelStore(${JSON.stringify(folder)}).ensureBuiltIn();`;
    const others = [1, 2].map(() => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]));
    const here = [1, 2, 3, 4].map(() => openModelStore(folder).ensureBuiltIn());
    const built = await Promise.all(here);
    await Promise.all(others);
    expect(new Set(built.map(({ densityCt }) => densityCt.card.sha256)).size).toBe(1);
    expect(await readdir(folder)).toEqual(["brain-t1-unet", "density-ct"]);
  });

  test("sweeps away what a dead process left behind, and nothing that may be in use", async () => {
    const [old, fresh] = [join(folder, ".tmp-old"), join(folder, ".tmp-fresh")];
    await mkdir(old, { recursive: true });
    await mkdir(fresh);
    const hoursAgo = new Date(Date.now() - 3 * 3600_000);
    await utimes(old, hoursAgo, hoursAgo);
    await openModelStore(folder).ensureBuiltIn();
    expect((await readdir(folder)).sort()).toEqual([".tmp-fresh", "brain-t1-unet", "density-ct"]);
  });
});

test("a folder that is no model does not hide the others", async () => {
  const store = openModelStore(folder);
  await store.ensureBuiltIn();
  await mkdir(join(folder, "a-junk"));
  expect(await namesOf()).toEqual(["brain-t1-unet", "density-ct"]);
  const { broken } = await store.inspect();
  expect(broken.map((one) => basename(one.folder))).toEqual(["a-junk"]);
});

test("a removed model is gone, and removing says whether it was there", async () => {
  const store = openModelStore(folder);
  await store.ensureBuiltIn();
  expect(await store.remove("density-ct")).toBe(true);
  expect(await store.remove("density-ct")).toBe(false);
  expect(await readdir(folder)).toEqual(["brain-t1-unet"]);
});

test.each(["..", "../models", ".", "", "/etc", "density-ct/.."])("removing %j touches nothing", async (name) => {
  const store = openModelStore(folder);
  await store.ensureBuiltIn();
  expect(await store.remove(name)).toBe(false);
  expect(await namesOf()).toEqual(["brain-t1-unet", "density-ct"]);
});

test("a model that nobody knows is refused with the names of those that are", async () => {
  await expect(openModelStore(folder).pull("brain-t7")).rejects.toThrow(/known are brain-t1/);
});

const brainchop = weightsPath("brainchop");

describe.skipIf(!existsSync(brainchop))("pulling brain-t1 from a local folder", () => {
  test.each([
    ["that holds its folder", brainchop],
    ["that is its folder", join(brainchop, "model30chan18cls")],
  ])("%s installs it", async (_, from) => {
    const store = openModelStore(folder);
    const pulled = await store.pull("brain-t1", { from });
    expect(pulled.card).toMatchObject({ name: "brain-t1", engine: "labels", trained: true });
    expect(await store.list()).toEqual([pulled]);
    expect((await readdir(pulled.folder)).sort()).toEqual(["LICENCE.txt", "labels.onnx", "manifest.json"]);
    expect(await store.pull("brain-t1", { from: "/nowhere" })).toEqual(pulled);
  });

  test("brainchop's four networks lie beside each other under names of their own, each with its classes", async () => {
    const store = openModelStore(folder);
    for (const { name } of KNOWN_MODELS) await store.pull(name, { from: brainchop });
    expect(await namesOf()).toEqual(["brain-t1", "brain-t1-fast", "brain-t1-regions", "brain-t1-tissue"]);
    const classes = (await store.list()).map((model) => model.engine === "labels" && model.manifest.classes.length);
    expect(classes).toEqual([17, 17, 103, 2]);
  });

  test("with other weights, or none, is refused and leaves nothing behind", async () => {
    const store = openModelStore(folder);
    const altered = join(folder, "..", "altered");
    await cp(join(brainchop, "model30chan18cls"), altered, { recursive: true });
    const bytes = await readFile(join(altered, "model.bin"));
    bytes[1000]! ^= 1;
    await rm(join(altered, "model.bin"));
    await writeFile(join(altered, "model.bin"), bytes);
    for (const [from, file] of [
      [altered, "model.bin"],
      [join(brainchop, "model18cls"), "model.json"],
      ["/nowhere", "model.json"],
    ] as const)
      await expect(store.pull("brain-t1", { from })).rejects.toMatchObject({ name: "ModelBundleError", file });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe.skipIf(!existsSync(brainchop))("pulling brain-t1 from upstream", () => {
  let server: Server;
  let url: string;
  let answer: (path: string, response: ServerResponse) => void;

  beforeEach(async () => {
    answer = (path, response) => response.end(readFileSync(join(brainchop, path)));
    server = createServer((request, response) => answer(request.url ?? "", response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  test("downloads, reports a growing fraction that ends at 1, and gives the same model as a local folder", async () => {
    const fractions: number[] = [];
    const pulled = await openModelStore(folder, { upstreamUrl: url }).pull("brain-t1", {
      onProgress: (fraction) => fractions.push(fraction),
    });
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    const local = await openModelStore(join(folder, "..", "local")).pull("brain-t1", { from: brainchop });
    expect(local.card.sha256).toBe(pulled.card.sha256);
  });

  test.each([
    ["nobody answers", () => server.close(), ModelDownloadError],
    ["the file is gone", () => (answer = (_, response) => response.writeHead(404).end()), ModelDownloadError],
    ["the answer is cut", () => (answer = (_, response) => response.end("{")), ModelDownloadError],
    ["the answer is too long", () => (answer = (_, response) => response.end(Buffer.alloc(2 ** 20))), ModelBundleError],
    [
      "the answer is another file",
      () => (answer = (_, response) => response.end(Buffer.alloc(28638))),
      ModelBundleError,
    ],
    [
      "the connection breaks",
      () => (answer = (_, response) => response.write("{", () => response.destroy())),
      ModelDownloadError,
    ],
  ])("where %s, it fails by name and leaves nothing behind", async (_, arrange, kind) => {
    arrange();
    server.closeAllConnections();
    await expect(openModelStore(folder, { upstreamUrl: url }).pull("brain-t1")).rejects.toBeInstanceOf(kind);
    expect(await readdir(folder)).toEqual([]);
  });

  test("without internet access the error says how to use a local folder", async () => {
    server.close();
    await expect(openModelStore(folder, { upstreamUrl: url }).pull("brain-t1")).rejects.toThrow(
      /parse3d models pull brain-t1 --from FOLDER/,
    );
  });

  test("is stopped by its signal, with the signal's reason", async () => {
    answer = (_, response) => response.write("{");
    const stop = new AbortController();
    const pull = openModelStore(folder, { upstreamUrl: url }).pull("brain-t1", { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(pull).rejects.toThrow("enough");
    expect(await readdir(folder)).toEqual([]);
  });
});

test.skipIf(!existsSync(brainchop))("the pinned sums are those of upstream's files", async () => {
  for (const { upstreamFolder, files } of KNOWN_MODELS)
    for (const { name, sha256, bytes } of files) {
      const content = await readFile(join(brainchop, upstreamFolder, name));
      expect([content.length, createHash("sha256").update(content).digest("hex")]).toEqual([bytes, sha256]);
    }
});
