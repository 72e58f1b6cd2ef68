import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoFiles } from "../../server/demo/system-packages.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";

const command = resolve(import.meta.dirname, "../../bin/parse3d");
const hasImages = existsSync(demoFiles.ctHead) && existsSync(demoFiles.mrHead);
if (!hasImages)
  console.warn("\n*** THE DEMO'S IMAGES ARE NOT INSTALLED (npm run setup): the demo's tests are SKIPPED. ***\n");

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-demo-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function demo(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(command, ["demo", ...args], {
    env: { ...process.env, PARSE3D_DATA_DIR: join(folder, "data"), PARSE3D_PORT: "0", ...environment },
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  return { child, ended: once(child, "close"), out: () => out, err: () => err };
}

async function words(child: ChildProcessWithoutNullStreams, read: () => string, wanted: string): Promise<string> {
  while (!read().includes(wanted)) {
    if (child.exitCode !== null) throw new Error(`the demo ended before it said "${wanted}":\n${read()}`);
    await Promise.race([once(child.stderr, "data"), once(child, "close")]);
  }
  return read();
}

const answers = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

describe.skipIf(!hasImages)("the demo", () => {
  test("--once --json proves both prompts from the API to the archive and back, and leaves pictures and a report", async () => {
    const { ended, out, err } = demo(["--once", "--json"]);
    const [code] = await ended;
    expect(code, err()).toBe(0);
    const proven = out()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(proven.map(({ prompt }) => prompt)).toEqual(["skull", "hippocampus"]);
    for (const answer of proven) {
      expect(answer.voxels).toBeGreaterThan(1000);
      expect(answer.volumeMl).toBeGreaterThan(1);
      expect(Object.keys(answer.seconds)).toEqual(["fetch", "decode", "infer", "encode", "store"]);
      expect((await readFile(answer.overlay)).subarray(1, 4).toString()).toBe("PNG");
    }
    // An adult's skull, and both hippocampi, by textbook orders of magnitude.
    expect(proven[0].volumeMl).toBeGreaterThan(300);
    expect(proven[0].volumeMl).toBeLessThan(1500);
    expect(proven[1].volumeMl).toBeLessThan(15);
    expect(proven[1].model).toMatch(/^brain-t1-unet /);
    expect(JSON.parse(await readFile(join(folder, "data/demo/report/report.json"), "utf8"))).toEqual(proven);
  });

  test("Ctrl-C stops the server and the Orthanc that it started", async () => {
    const { child, ended, err } = demo([]);
    const said = await words(child, err, "Ctrl-C stops");
    const [server = "", orthanc = ""] = [/Parse3D +(\S+)/.exec(said)?.[1], /DICOMweb +(\S+)/.exec(said)?.[1]];
    expect([await answers(server), await answers(`${orthanc}/studies`)]).toEqual([true, true]);
    child.kill("SIGINT");
    const [code] = await ended;
    expect(code).toBe(0);
    expect([await answers(server), await answers(`${orthanc}/studies`)]).toEqual([false, false]);
  });

  test("an archive that was there before is used, and left alone", async () => {
    await using orthanc = await startTestOrthanc();
    const { child, ended, err } = demo([], { PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl });
    const said = await words(child, err, "Ctrl-C stops");
    expect(said).toContain(orthanc.dicomwebUrl);
    const studies = (await (await fetch(`${orthanc.baseUrl}/studies`)).json()) as unknown[];
    expect(studies).toHaveLength(2);
    child.kill("SIGINT");
    await ended;
    expect(await answers(`${orthanc.baseUrl}/studies`)).toBe(true);
  });
});
