import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ModelUnavailableError } from "#server/domain/index.ts";
import { probeDevice } from "../../server/engines/child/device-probe.ts";
import { openOnnxRuntime } from "../../server/engines/child/onnx-runtime.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-of-probes-"));
  vi.stubEnv("TMPDIR", folder);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});
const leftovers = async () => (await readdir(folder)).filter((name) => name.startsWith("parse3d-probe-"));

test("a device that works is known by who computed a small graph, node by node", async () => {
  expect(await probeDevice("cpu")).toEqual({ works: true, nodes: { CPUExecutionProvider: 1 } });
  expect(await leftovers()).toEqual([]);
});

test.each(["cuda", "tensorrt", "webgpu"] as const)(
  "%s is proved, or refused with onnxruntime's reason",
  async (device) => {
    const probe = await probeDevice(device);
    const opened = openOnnxRuntime({ executionProvider: device, threads: undefined });
    if (probe.works) {
      expect(Object.values(probe.nodes)).toEqual([1]);
      expect((await opened).provider).toEqual({ requested: device, actual: device, nodes: probe.nodes });
      return;
    }
    expect(probe.reason).toMatch(/onnxruntime says/);
    await expect(opened).rejects.toBeInstanceOf(ModelUnavailableError);
    await expect(opened).rejects.toThrow(`"${device}"`);
    expect(await leftovers()).toEqual([]);
  },
);

test("the CPU is used without a proof, and auto says why it is not the GPU", async () => {
  const cpu = await openOnnxRuntime({ executionProvider: "cpu", threads: 1 });
  expect(cpu.provider).toEqual({ requested: "cpu", actual: "cpu" });
  const { provider } = await openOnnxRuntime({ executionProvider: "auto", threads: 1 });
  if (provider.actual === "cuda") return;
  expect(provider).toEqual({ requested: "auto", actual: "cpu", fallbackReason: expect.stringMatching(/onnxruntime/) });
});
