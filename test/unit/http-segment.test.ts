import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { UnsupportedImageError } from "#converters/errors.ts";
import { FindingsHeader, Problem } from "#server/contract/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { startTestServer } from "../fixtures/test-server.ts";

const scan = new Uint8Array(300_000).map((_, n) => (n * 7919) % 251);

function form(
  fields: Readonly<Record<string, string | readonly string[]>>,
  file: Uint8Array<ArrayBuffer> | null = scan,
): FormData {
  const data = new FormData();
  for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) data.append(name, value);
  if (file) data.append("file", new Blob([file]), "scan.nii.gz");
  return data;
}

/** A temp folder of this file's own, where uploads are the only thing. */
const temp = mkdtempSync(join(tmpdir(), "parse3d-test-"));
beforeAll(() => vi.stubEnv("TMPDIR", temp));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(temp, { recursive: true });
});

async function leavesNothing(work: () => Promise<void>): Promise<void> {
  await work();
  await eventually(() => expect(readdirSync(temp)).toEqual([]));
}

test("a NIfTI goes in and a NIfTI comes out, with a finding for each prompt in the order asked", async () => {
  await using server = await startTestServer();
  await leavesNothing(async () => {
    const body = form({ prompts: ["skull", "unicorn", "Schädel"], modality: "CT" });
    const response = await server.api.send("segmentNifti", { form: body });
    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("application/gzip");
    expect(response.headers.get("Content-Length")).toBe(String(scan.length));
    expect(response.headers.get("Content-Disposition")).toBe('attachment; filename="labels.nii.gz"');
    expect(response.headers.get("Parse3D-Model")).toBe("fake/1.0.0");
    expect(FindingsHeader.parse(JSON.parse(response.headers.get("Parse3D-Findings") ?? ""))).toEqual([
      { prompt: "p1", present: true, score: 0.97, voxels: 1000, volumeMl: 1.25 },
      { prompt: "p2", present: false, score: 0.08, voxels: 0 },
      { prompt: "p3", present: true, score: 0.97, voxels: 1000, volumeMl: 1.25 },
    ]);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(scan);
    const job = await server.api.call("readJob", { params: { id: response.headers.get("Parse3D-Job") ?? "" } });
    expect(job.findings).toHaveLength(3);
    expect(JSON.stringify(job)).not.toContain(temp);
  });
});

test("the fields reach the runner: JSON prompts with codes, model, merge, output and volume", async () => {
  await using server = await startTestServer();
  const code = { value: "89546000", scheme: "SCT", meaning: "Skull" };
  const fields = { model: "fake", merge: "overlapping", output: "probabilities", volume: "2", modality: "MR" };
  const prompts = JSON.stringify(["fat", { text: "skull", code }]);
  const response = await server.api.send("segmentNifti", { form: form({ ...fields, prompts }) });
  expect(response.headers.get("Content-Disposition")).toContain("probabilities.nii.gz");
  await response.arrayBuffer();
  expect(server.runner.begun).toEqual([
    {
      kind: "image",
      inputPath: expect.any(String),
      outputPath: expect.any(String),
      modality: "MR",
      model: "fake",
      merge: "overlapping",
      output: "probabilities",
      volumeIndex: 2,
      prompts: [
        { id: "p1", text: "fat" },
        { id: "p2", text: "skull", code },
      ],
    },
  ]);
});

test("the notes come in a header of ASCII, as many of the first ones as fit", async () => {
  const notes = ["Volume 0 was read: Schädel.", "x".repeat(3000), "y".repeat(3000)];
  const model = { name: "m", version: "1", title: "M", trained: false };
  await using server = await startTestServer({
    queue: {
      runner: async (request) => {
        if (request.kind === "image") await copyFile(request.inputPath, request.outputPath);
        return { model, notes, seconds: {} };
      },
    },
  });
  const response = await server.api.send("segmentNifti", { form: form({ prompts: "skull", modality: "CT" }) });
  const header = response.headers.get("Parse3D-Notes") ?? "";
  expect(header).toMatch(/^[ -~]+$/);
  expect(JSON.parse(header)).toEqual(notes.slice(0, 2));
  await response.arrayBuffer();
});

test("32 prompts fit into the header", async () => {
  await using server = await startTestServer();
  const prompts = Array.from({ length: 32 }, (_, n) => `thing ${n} ${"x".repeat(280)}`);
  const response = await server.api.send("segmentNifti", { form: form({ prompts, modality: "CT" }) });
  expect(JSON.parse(response.headers.get("Parse3D-Findings") ?? "")).toHaveLength(32);
  await response.arrayBuffer();
});

test.each([
  ["no file", form({ prompts: "skull", modality: "CT" }, null), 400, "invalid-request"],
  ["an empty file", form({ prompts: "skull", modality: "CT" }, new Uint8Array()), 400, "invalid-request"],
  ["no modality", form({ prompts: "skull" }), 400, "invalid-request"],
  ["an unknown field", form({ prompts: "skull", modality: "CT", colour: "red" }), 400, "invalid-request"],
  ["two models", form({ prompts: "skull", modality: "CT", model: ["a", "b"] }), 400, "invalid-request"],
  ["broken JSON", form({ prompts: "[1", modality: "CT" }), 400, "invalid-request"],
  ["a volume that is no number", form({ prompts: "skull", modality: "CT", volume: "x" }), 400, "invalid-request"],
  ["a field of 20 KB", form({ prompts: "x".repeat(20_000), modality: "CT" }), 400, "invalid-request"],
  ["an empty prompt", form({ prompts: "", modality: "CT" }), 422, "invalid-prompt"],
  ["200 fields", form({ prompts: Array.from({ length: 200 }, String), modality: "CT" }), 400, "invalid-request"],
  ["2 MB where 1 is taken", form({ prompts: "skull", modality: "CT" }, new Uint8Array(2e6)), 413, "payload-too-large"],
])("a form with %s is refused, and nothing runs or stays", async (_name, body, status, code) => {
  await using server = await startTestServer();
  await leavesNothing(async () => {
    const response = await server.api.send("segmentNifti", { form: body });
    expect(Problem.parse(await response.json())).toMatchObject({ status, code });
    expect(response.status).toBe(status);
    expect(server.runner.begun).toEqual([]);
  });
});

test("a file of exactly the limit is taken; one byte more is not", async () => {
  await using server = await startTestServer({ http: { maxUploadBytes: 1000 } });
  const send = (bytes: number) =>
    server.api.send("segmentNifti", { form: form({ prompts: "skull", modality: "CT" }, new Uint8Array(bytes)) });
  expect((await send(1000)).status).toBe(200);
  expect((await send(1001)).status).toBe(413);
});

test("what is no form, has no boundary, two files, or another part's name is refused", async () => {
  await using server = await startTestServer();
  const post = (body: FormData | string, type?: string) =>
    fetch(`${server.url}/v1/segment`, { method: "POST", body, ...(type && { headers: { "Content-Type": type } }) });
  expect((await post("{}", "application/json")).status).toBe(415);
  expect((await post("x", "multipart/form-data")).status).toBe(415);
  expect((await post("x", "multipart/form-data; charset=utf-8")).status).toBe(400);
  expect((await post("nothing of the sort", "multipart/form-data; boundary=b")).status).toBe(400);
  const two = form({ prompts: "skull", modality: "CT" });
  two.append("file", new Blob(["x"]), "y.nii");
  expect((await post(two)).status).toBe(400);
  const other = form({ prompts: "skull", modality: "CT" }, null);
  other.append("image", new Blob(["x"]), "y.nii");
  expect((await post(other)).status).toBe(400);
});

test("a job's failure is the answer, and the upload is removed", async () => {
  await using server = await startTestServer();
  server.runner.failWith(new UnsupportedImageError("not-nifti", "This is not a NIfTI file. Send .nii or .nii.gz."));
  await leavesNothing(async () => {
    const response = await server.api.send("segmentNifti", { form: form({ prompts: "skull", modality: "CT" }) });
    expect(Problem.parse(await response.json())).toMatchObject({
      status: 422,
      code: "unsupported-image",
      details: { reason: "not-nifti" },
    });
  });
});

test("hanging up while the job runs cancels it and removes the upload", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  await leavesNothing(async () => {
    const gone = new AbortController();
    const body = form({ prompts: "skull", modality: "CT" });
    const answer = server.api.send("segmentNifti", { form: body, signal: gone.signal });
    await eventually(() => expect(server.runner.atWork).toBe(1));
    gone.abort();
    await expect(answer).rejects.toThrow();
    await eventually(() => expect(server.runner.atWork).toBe(0));
    const { jobs } = await server.api.call("listJobs");
    expect(jobs.map(({ state }) => state)).toEqual(["cancelled"]);
  });
});

test("hanging up in the middle of the upload removes what has come", async () => {
  await using server = await startTestServer();
  await leavesNothing(async () => {
    const upload = request(`${server.url}/v1/segment`, {
      method: "POST",
      headers: { "Content-Type": "multipart/form-data; boundary=b", "Content-Length": "500000" },
    });
    upload.on("error", () => {});
    upload.write('--b\r\nContent-Disposition: form-data; name="file"; filename="a.nii"\r\n\r\n');
    upload.write(new Uint8Array(100_000));
    await eventually(() => expect(readdirSync(temp)).toHaveLength(1));
    upload.destroy();
  });
  expect(server.runner.begun).toEqual([]);
});

test("cancelling the job of a waiting upload answers job-cancelled", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const answer = server.api.send("segmentNifti", { form: form({ prompts: "skull", modality: "CT" }) });
  await eventually(() => expect(server.runner.atWork).toBe(1));
  const { jobs } = await server.api.call("listJobs");
  await server.api.call("cancelJob", { params: { id: jobs[0]?.id ?? "" } });
  expect(await (await answer).json()).toMatchObject({ status: 409, code: "job-cancelled" });
});
