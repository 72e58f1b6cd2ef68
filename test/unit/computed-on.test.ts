import { expect, test } from "vitest";
import { firstText, items, readPart10 } from "#converters/dicom/index.ts";
import { ReadyView } from "#server/contract/index.ts";
import { deterministicUid, promptsFrom, type SegmentationModel, segmentSeries } from "#server/domain/index.ts";
import { rememberingDevices } from "../../server/computed-on.ts";
import { describeProvider } from "../../server/engines/engine-options.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { createMemoryArchive } from "../fixtures/memory-archive.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestServer } from "../fixtures/test-server.ts";

test("a provider in words", () => {
  expect(describeProvider({ actual: "cpu" })).toBe("the CPU");
  expect(describeProvider({ actual: "tensorrt" })).toBe("a GPU by TensorRT");
  expect(describeProvider({ actual: "remote" })).toBe("another machine");
  expect(describeProvider({ actual: "remote", server: "triton 2.51.0" })).toBe("another machine (triton 2.51.0)");
});

test("what computed an answer is in the result, and in the SEG's contributing equipment", async () => {
  const archive = createMemoryArchive();
  const ct = syntheticCt(6, 24);
  const signal = AbortSignal.timeout(20_000);
  for (const instance of ct.instances()) await archive.sink.store(instance, { signal });
  let seg = new Uint8Array();
  const model: SegmentationModel = { ...createFakeModel(), computedOn: () => "the CPU" };
  const ports = {
    source: archive.source,
    sink: {
      store: (part10: Uint8Array<ArrayBuffer>, options: { readonly signal: AbortSignal }) => {
        seg = part10;
        return archive.sink.store(part10, options);
      },
    },
    models: registryOf(model),
    now: () => new Date("2026-03-04T05:06:07Z"),
    newUid: deterministicUid,
  };
  const run = { signal, progress: () => {}, note: () => {}, finding: () => {} };
  const result = await segmentSeries(ports, { series: ct.series, prompts: promptsFrom([{ text: "bright" }]) }, run);
  expect(result.model.computedOn).toBe("the CPU");
  const [equipment = {}] = items(readPart10(seg).dataSet, "ContributingEquipmentSequence");
  expect(firstText(equipment, "ContributionDescription")).toBe(
    "Research use only. Segmented by Bright and dark 1.0.0, computed on the CPU.",
  );
});

test("/readyz names it with the model, once it has answered", async () => {
  const model = { name: "density-ct", version: "1", title: "t", trained: false, computedOn: "a GPU by CUDA" };
  const { run, computedOn } = rememberingDevices(async () => ({ model, notes: [], seconds: {} }) as never);
  await using server = await startTestServer({ parts: { computedOn } });
  const models = async () => {
    const response = await fetch(`${server.url}/readyz`);
    return ReadyView.parse(await response.json()).checks.models?.why;
  };
  expect(await models()).toBe("density-ct");
  await run({} as never, {} as never);
  expect(await models()).toBe("density-ct (a GPU by CUDA)");
});
