import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readNifti, writeNifti } from "#converters/nifti/index.ts";
import { FindingsHeader } from "#server/contract/index.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";
import { startWholeService, type WholeService } from "../fixtures/whole-service.ts";

let service: WholeService;

beforeAll(async () => {
  service = await startWholeService();
});

afterAll(() => service?.[Symbol.asyncDispose]());

function form(file: Uint8Array<ArrayBuffer>, fields: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  data.append("file", new Blob([file]), "image.nii.gz");
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

const send = (file: Uint8Array<ArrayBuffer>, fields: Readonly<Record<string, string>>) =>
  service.api.send("segmentNifti", { form: form(file, fields) });

describeWithData("a NIfTI file over the API", () => {
  const ct = new Uint8Array(readFileSync(dataPath("nifti_ct_mr_totalseg", "example_ct_sm.nii.gz")));

  test("comes back as labels on its own grid: label n where the n-th prompt is", async () => {
    const answer = await send(ct, { prompts: '["bone", "unicorn", "lung"]', modality: "CT" });
    expect(answer.status).toBe(200);
    const labels = readNifti(new Uint8Array(await answer.arrayBuffer()));
    const input = readNifti(ct, { modality: "CT" });
    expect(labels.geometry).toEqual(input.geometry);
    expect(new Set(labels.voxels)).toEqual(new Set([0, 1, 3]));
    const findings = FindingsHeader.parse(JSON.parse(answer.headers.get("parse3d-findings") ?? ""));
    expect(findings.map(({ present }) => present)).toEqual([true, false, true]);
    const count = (label: number) => Array.from(labels.voxels).filter((value) => value === label).length;
    expect([findings[0]?.voxels, findings[2]?.voxels]).toEqual([count(1), count(3)]);
    // The grid is coarse and the picture is not, so that the mask's edge runs within a voxel of the threshold.
    let dense = 0;
    for (let n = 0; n < labels.voxels.length; n++) if (labels.voxels[n] === 1 && input.voxels[n]! > 150) dense++;
    expect(dense / count(1)).toBeGreaterThan(0.95);
  });

  test("comes back as probabilities, one volume for each prompt", async () => {
    const answer = await send(ct, { prompts: '["bone", "lung"]', modality: "CT", output: "probabilities" });
    expect(answer.status).toBe(200);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(() => readNifti(bytes)).toThrow("2 volumes");
    const bone = readNifti(bytes, { volumeIndex: 0 });
    expect(bone.geometry.size).toEqual(readNifti(ct).geometry.size);
    let outside = 0;
    let high = 0;
    for (const p of bone.voxels) {
      if (p < 0 || p > 1) outside++;
      if (p > 0.5) high++;
    }
    expect(outside).toBe(0);
    expect(high).toBeGreaterThan(100);
  });

  test("of several volumes the first is asked about unless another is chosen, and a header says so", async () => {
    const { geometry, voxels } = readNifti(ct);
    const both = new Int16Array(2 * voxels.length).fill(-1000);
    both.set(voxels, voxels.length);
    const file = new Uint8Array(writeNifti({ geometry, voxels: both }, { volumes: 2, gzip: true }));
    const answers = [
      await send(file, { prompts: "bone", modality: "CT" }),
      await send(file, { prompts: "bone", modality: "CT", volume: "1" }),
    ];
    const told = answers.map(({ headers }) => [
      JSON.parse(headers.get("parse3d-notes") ?? "[]")[0],
      FindingsHeader.parse(JSON.parse(headers.get("parse3d-findings") ?? ""))[0]?.present,
    ]);
    expect(told).toEqual([
      ["The file holds 2 volumes, 0 to 1; volume 0 was read. Others are chosen by number.", false],
      ["The file holds 2 volumes, 0 to 1; volume 1 was read. Others are chosen by number.", true],
    ]);
    for (const answer of answers) {
      expect(readNifti(new Uint8Array(await answer.arrayBuffer())).geometry.size).toEqual(geometry.size);
    }
  });

  test.each([
    ["a truncated file", new Uint8Array(gunzipSync(ct).subarray(0, 5000)), "unsupported-image"],
    ["a truncated gzip", ct.slice(0, 5000), "unsupported-image"],
    ["something else", new TextEncoder().encode("not an image at all".repeat(40)), "unsupported-image"],
    ["nothing", new Uint8Array(0), "invalid-request"],
    ["a header that declares 32767^3 voxels", hugeHeader(ct), "unsupported-image"],
  ])("%s is refused by name, and the server goes on", async (_, file, code) => {
    const answer = await send(file, { prompts: "bone", modality: "CT" });
    const problem = (await answer.json()) as { code: string; detail: string };
    expect([answer.status, problem.code]).toEqual([code === "invalid-request" ? 400 : 422, code]);
    expect(problem.detail.length).toBeGreaterThan(20);
    expect((await service.api.call("health")).status).toBe("alive");
  });

  test("an image is answered by no model of another modality, and the problem lists what there is", async () => {
    const problemOf = async (modality: string, prompts: string) =>
      (await (await send(ct, { prompts, modality })).json()) as { code: string; detail: string };
    const ultrasound = await problemOf("US", "bone");
    expect(ultrasound.code).toBe("model-not-found");
    expect(ultrasound.detail).toMatch(/installed ones read: .*CT/);
    const magnetic = await problemOf("MR", "bone");
    expect(magnetic.code).toBe("invalid-prompt");
    expect(magnetic.detail).toMatch(/They know: .*hippocampus/);
  });

  test("a trunk is not answered by a network of heads, whatever modality it is called", async () => {
    const answer = await send(ct, { prompts: "hippocampus", modality: "MR" });
    const problem = (await answer.json()) as { code: string; detail: string };
    expect(problem.code).toBe("unsupported-series");
    expect(problem.detail).toContain("366 x 303 x 90 mm");
  });
});

function hugeHeader(gz: Uint8Array): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(gunzipSync(gz));
  const view = new DataView(file.buffer);
  for (let axis = 1; axis <= 3; axis++) view.setInt16(40 + 2 * axis, 32767, true);
  return file;
}
