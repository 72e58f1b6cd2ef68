import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openFakeHub } from "../fixtures/fake-hub.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

const command = resolve(import.meta.dirname, "../../bin/parse3d");
const golden = (name: string) => dataPath("boltzformer_golden", name);

describeWithData("models pull medimageparse3d", () => {
  let folder: string;
  let checkpoint: Buffer;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-pull-"));
    checkpoint = await readFile(golden("small.ckpt"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  function pull(hub: string, env: Readonly<Record<string, string>>, ...args: string[]) {
    const options = ["models", "pull", "medimageparse3d", "--json", "--config", golden("small.json"), ...args];
    const child = spawn(command, options, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, HF_TOKEN: "", ...env, PARSE3D_DATA_DIR: folder, HF_ENDPOINT: hub },
    });
    const said = { out: "", err: "" };
    child.stdout.on("data", (text) => {
      said.out += text;
    });
    child.stderr.on("data", (text) => {
      said.err += text;
    });
    return new Promise<typeof said & { readonly code: number | null }>((done, reject) => {
      child.once("error", reject).once("close", (code) => done({ ...said, code }));
    });
  }

  test("downloads with the user's token, proves the file, and installs it; the download leaves nothing behind", async () => {
    await using hub = await openFakeHub(checkpoint, { token: "hf_secret" });
    hub.breaks.push(200_000);
    const { code, out, err } = await pull(hub.url, { HF_TOKEN: "hf_secret" }, "--accept-licence");
    expect([code, err]).toEqual([0, ""]);
    expect(JSON.parse(out)).toMatchObject({ name: "medimageparse3d", licence: "CC-BY-NC-SA-4.0" });
    const manifest = JSON.parse(await readFile(join(folder, "models/medimageparse3d/manifest.json"), "utf8"));
    expect(manifest.checkpointSha256).toBe(createHash("sha256").update(checkpoint).digest("hex"));
    expect(await readdir(join(folder, "downloads"))).toEqual([]);
    expect(hub.requests.at(-1)).toBe("GET storage bytes=200000-");
  });

  test("a file that is not what the hub said is not installed", async () => {
    await using hub = await openFakeHub(checkpoint, { lies: true });
    const { code, out } = await pull(hub.url, {}, "--accept-licence");
    expect(code).toBe(6);
    expect(JSON.parse(out).problem.detail).toContain("differs from its sha256");
    await expect(readdir(join(folder, "models"))).resolves.not.toContain("medimageparse3d");
  });

  test("without access it ends with the steps to get it; without consent it asks nothing of the hub", async () => {
    await using hub = await openFakeHub(checkpoint, { token: "hf_right" });
    const refused = await pull(hub.url, { HF_TOKEN: "hf_wrong" }, "--accept-licence");
    expect(refused.code).toBe(6);
    expect(JSON.parse(refused.out).problem.detail).toMatch(/Sign in at[\s\S]*HF_TOKEN=/);
    expect(refused.out + refused.err).not.toContain("hf_wrong");
    const asked = hub.requests.length;
    const unread = await pull(hub.url, { HF_TOKEN: "hf_right" });
    expect(unread.code).not.toBe(0);
    expect(hub.requests.length).toBe(asked);
  });
});
