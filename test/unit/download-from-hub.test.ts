import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { downloadFromHub, MEDIMAGEPARSE3D_CHECKPOINT, ModelAccessError, ModelDownloadError } from "#models/index.ts";
import { openFakeHub } from "../fixtures/fake-hub.ts";

const content = Uint8Array.from({ length: 300_000 }, (_, n) => (n * 31) % 251);
const sha256 = createHash("sha256").update(content).digest("hex");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-hub-"));
});
afterEach(() => rm(folder, { recursive: true }));

const part = () => join(folder, `${MEDIMAGEPARSE3D_CHECKPOINT.path}.part`);
const download = (hubUrl: string, options: Partial<Parameters<typeof downloadFromHub>[1]> = {}) =>
  downloadFromHub(MEDIMAGEPARSE3D_CHECKPOINT, { folder, hubUrl, pauseMs: 1, ...options });

test("the file arrives whole, with what the hub says of it; the token goes to the hub and no further", async () => {
  await using hub = await openFakeHub(content, { token: "hf_secret" });
  const shares: number[] = [];
  const result = await download(hub.url, {
    token: "hf_secret",
    onProgress: (bytes, total) => shares.push(bytes / total),
  });
  expect(result).toEqual({ path: join(folder, "biomedparse_v2.ckpt"), bytes: content.length, sha256 });
  expect(new Uint8Array(await readFile(result.path))).toEqual(content);
  expect(hub.requests).toEqual(["HEAD hub Bearer hf_secret", "GET storage"]);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(shares.at(-1)).toBe(1);
});

test("a connection that breaks is taken up where it broke", async () => {
  await using hub = await openFakeHub(content);
  hub.breaks.push(100_000, 50_000);
  const { path } = await download(hub.url);
  expect(new Uint8Array(await readFile(path))).toEqual(content);
  const asked = hub.requests.filter((request) => request.startsWith("GET"));
  expect(asked).toEqual(["GET storage", "GET storage bytes=100000-", "GET storage bytes=150000-"]);
});

test("a download that was stopped goes on another day, unless the file is another by then", async () => {
  await using hub = await openFakeHub(content);
  for (const [other, first] of [
    [content, "GET storage bytes=80000-"],
    [content.map((byte) => byte + 1), "GET storage"],
  ] as const) {
    hub.content = content;
    hub.breaks.push(80_000);
    const stop = new AbortController();
    const onProgress = (bytes: number) => bytes === 80_000 && stop.abort(new Error("enough"));
    await expect(download(hub.url, { signal: stop.signal, onProgress })).rejects.toThrow("enough");
    hub.breaks.length = 0;
    expect((await stat(part())).size).toBe(80_000);
    hub.content = other;
    const before = hub.requests.length;
    const { path } = await download(hub.url);
    expect(new Uint8Array(await readFile(path))).toEqual(new Uint8Array(other));
    expect(hub.requests.slice(before)).toEqual(["HEAD hub", first]);
  }
});

test("a server that knows no ranges sends it all again", async () => {
  await using hub = await openFakeHub(content, { ranges: false });
  hub.breaks.push(100_000);
  const { path } = await download(hub.url);
  expect(new Uint8Array(await readFile(path))).toEqual(content);
});

test("a connection that brings nothing any more ends in an error; what is there is kept", async () => {
  await using hub = await openFakeHub(content);
  hub.breaks.push(10_000, 0, 0, 0, 0);
  const failing = download(hub.url);
  await expect(failing).rejects.toBeInstanceOf(ModelDownloadError);
  await expect(failing).rejects.toThrow(/after 10000 of 300000 bytes. They are kept/);
  expect((await stat(part())).size).toBe(10_000);
});

test.each([
  ["no token", undefined, /no token was given/],
  ["another's token", "hf_wrong", /this token was refused/],
])("with %s it ends with the steps to get access", async (_, token, words) => {
  await using hub = await openFakeHub(content, { token: "hf_right" });
  const refusal = download(hub.url, token === undefined ? {} : { token });
  await expect(refusal).rejects.toBeInstanceOf(ModelAccessError);
  await expect(refusal).rejects.toThrow(words);
  await expect(refusal).rejects.toThrow(/1\. Sign in at .*microsoft\/BiomedParse[\s\S]*2\.[\s\S]*HF_TOKEN=TOKEN/);
  await expect(refusal).rejects.toMatchObject({ retryable: false });
  expect(String(await refusal.catch((error: unknown) => error))).not.toContain("hf_");
});

test("a hub that cannot be reached is said so, with what to do without it", async () => {
  const hub = await openFakeHub(content);
  await hub[Symbol.asyncDispose]();
  await expect(download(hub.url)).rejects.toThrow(/cannot be reached.*models add FILE/);
});
