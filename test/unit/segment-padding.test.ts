import { expect, test } from "vitest";
import type { SegmentationModel } from "#server/domain/index.ts";
import { createAsking } from "../fixtures/asking.ts";
import { axial, columns, ctSlice, rows } from "../fixtures/ct-slices.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { createMemoryArchive } from "../fixtures/memory-archive.ts";

test("a model is given air outside the field of view, and the answer says so", async () => {
  const archive = createMemoryArchive();
  const words = new Uint16Array(rows * columns).fill(1064);
  // Unsigned, it would be the densest of all: metal.
  words[0] = 4095;
  for (let k = 0; k < axial.slices; k++) {
    const file = ctSlice(k, axial, { PixelPaddingValue: 4095, PixelData: new Uint8Array(words.buffer) });
    await archive.sink.store(file, { signal: AbortSignal.timeout(1000) });
  }
  const fake = createFakeModel();
  const given = new Set<number>();
  const model: SegmentationModel = {
    ...fake,
    segment(volume, ...rest) {
      for (const value of volume.voxels) given.add(value);
      return fake.segment(volume, ...rest);
    },
  };
  const { ask } = await createAsking();
  const { notes } = await ask(
    ["bright"],
    { series: { studyInstanceUid: "2.25.1", seriesInstanceUid: "2.25.2" } },
    { source: archive.source, models: registryOf(model) },
  );
  expect(given).toEqual(new Set([-1000, 40]));
  expect(notes).toContain("Padding outside the field of view (3071) was set to air, -1000 HU.");
});
