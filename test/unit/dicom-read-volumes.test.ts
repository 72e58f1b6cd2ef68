import { describe, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import { transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import { axial, type Changes, columns, ctSlice, rows } from "../fixtures/ct-slices.ts";

const perSlice = rows * columns;

/** A slice at (x, y, z), all of one value. */
function slice([x, y, z]: Vec3, value: number, changes: Changes = {}): Uint8Array {
  const words = new Uint16Array(perSlice).fill(value + 1024);
  return ctSlice(0, axial, {
    ImagePositionPatient: `${x}\\${y}\\${z}`,
    PixelData: new Uint8Array(words.buffer),
    ...changes,
  });
}

describe("a series of several volumes", () => {
  const MR: Changes = { SOPClassUID: "1.2.840.10008.5.1.4.1.1.4", Modality: "MR" };
  /** Two values of some attributes, at four positions each; slice by slice, as scanners number them. */
  const series = (first: Changes, second: Changes) =>
    [0, 1, 2, 3].flatMap((k) =>
      [first, second].map((changes, n) =>
        slice([0, 0, k * 3], 10 * n + k, { ...MR, InstanceNumber: String(2 * k + n + 1), ...changes }),
      ),
    );

  test.each<[string, Changes, Changes]>([
    ["echo time", { EchoTime: "20" }, { EchoTime: "80" }],
    ["b-value", { DiffusionBValue: 0 }, { DiffusionBValue: 1000 }],
    ["diffusion direction", { DiffusionGradientOrientation: [1, 0, 0] }, { DiffusionGradientOrientation: [0, 1, 0] }],
    ["temporal position", { TemporalPositionIdentifier: "1" }, { TemporalPositionIdentifier: "2" }],
    ["trigger time", { TriggerTime: "0" }, { TriggerTime: "35.5" }],
    ["acquisition time", { AcquisitionTime: "101500" }, { AcquisitionTime: "101503.5" }],
    ["image type", { ImageType: "ORIGINAL\\PRIMARY\\M" }, { ImageType: "ORIGINAL\\PRIMARY\\P" }],
    ["instance number", {}, {}],
  ])("is told apart by %s", async (trait, first, second) => {
    const files = series(first, second);
    const both = await Promise.all([0, 1].map((volume) => decodeSeries(files, { volume })));
    for (const [n, { volume, notes }] of both.entries()) {
      expect([0, 1, 2, 3].map((k) => volume.voxels[k * perSlice])).toEqual([0, 1, 2, 3].map((k) => 10 * n + k));
      expect(notes.join()).toContain(`told apart by ${trait}; volume ${n} was read`);
    }
    expect((await decodeSeries(files.toReversed())).volume).toEqual(both[0]!.volume);
  });

  test("names its volumes by what tells them apart, so that one can be chosen", async () => {
    const files = series({ EchoTime: "20", DiffusionBValue: 0 }, { EchoTime: "80", DiffusionBValue: 1000 });
    const [note] = (await decodeSeries(files, { volume: 1 })).notes;
    expect(note).toContain("told apart by echo time; volume 1 was read (echo time 80)");
    expect(note).toContain("chosen by number: 0 (echo time 20).");
  });

  test("tells neither times nor free text of others", async () => {
    const [times] = (await decodeSeries(series({ AcquisitionTime: "101500" }, { AcquisitionTime: "101503" }))).notes;
    expect(times).toMatch(/volume 0 was read\. Others are chosen by number\.$/);
    const typed = series({ ImageType: "A\\B\\M" }, { ImageType: "A\\B\\Jane Doe" });
    const [types] = (await decodeSeries(typed)).notes;
    expect(types).toContain("volume 0 was read (image type M)");
    expect(types).not.toContain("Jane");
  });

  test("keeps a last time point that was stopped apart, and does not read it as a volume", async () => {
    const files = series({ TemporalPositionIdentifier: "1" }, { TemporalPositionIdentifier: "2" });
    const stopped = files.toSpliced(3, 1);
    expect((await decodeSeries(stopped)).volume.geometry.size[2]).toBe(4);
    await expect(decodeSeries(stopped, { volume: 1 })).rejects.toMatchObject({ reason: "missing-slice" });
  });

  test("is not split by what differs from slice to slice anyway", async () => {
    const files = [0, 1, 2].map((k) =>
      slice([0, 0, k], k, { ...MR, AcquisitionTime: `10150${k}`, EchoTime: String(k), InstanceNumber: String(k + 1) }),
    );
    expect((await decodeSeries(files)).notes).toEqual([]);
  });

  test("without anything that tells them apart is refused", async () => {
    const twice = [0, 1, 2].flatMap((k) => [slice([0, 0, k], 1), slice([0, 0, k], 2)]);
    await expect(decodeSeries(twice)).rejects.toMatchObject({ reason: "several-volumes", details: { volumes: 2 } });
  });

  test("has no volume beyond the last", async () => {
    const files = series({ EchoTime: "20" }, { EchoTime: "80" });
    await expect(decodeSeries(files, { volume: 2 })).rejects.toMatchObject({
      reason: "several-volumes",
      message: "Volume 2 was asked for, but the series holds 2 volumes, 0 to 1. Choose one of these.",
    });
  });

  test("of two orientations is refused, unless one is chosen", async () => {
    const sagittal = { ImageOrientationPatient: "0\\1\\0\\0\\0\\-1" };
    const files = [
      ...[0, 1, 2].map((k) => slice([0, 0, k], k, { InstanceNumber: String(k + 1) })),
      ...[0, 1, 2, 3].map((k) => slice([-k, 0, 0], 50 + k, { ...sagittal, InstanceNumber: String(k + 4) })),
    ];
    await expect(decodeSeries(files)).rejects.toMatchObject({ reason: "mixed-orientation" });
    expect((await decodeSeries(files, { volume: 0 })).volume.geometry.size[2]).toBe(3);
    const { volume, notes } = await decodeSeries(files, { volume: 1 });
    expect(volume.geometry.size[2]).toBe(4);
    expect(notes.join()).toContain("orientation or size");
  });
});

describe("slices that are no regular grid, resampled", () => {
  test("get the slices that are missing from their neighbours", async () => {
    const files = [0, 2, 6, 8].map((z) => slice([0, 0, z], z * 10));
    const { volume, notes } = await decodeSeries(files, { resample: true });
    expect(volume.geometry.size).toEqual([columns, rows, 5]);
    expect([0, 1, 2, 3, 4].map((k) => volume.voxels[k * perSlice])).toEqual([0, 20, 40, 60, 80]);
    expect(volume.sources.map(({ sliceIndex }) => sliceIndex)).toEqual([0, 1, 3, 4]);
    expect(volume.sources.every(({ pixelsMoved }) => pixelsMoved === undefined)).toBe(true);
    expect(notes.join()).toMatch(/interpolated onto a regular grid of 5x4x5, 2\.00 mm.*slice is missing.*4\.00 mm/);
  });

  test("are spread evenly over the same height where gaps are uneven", async () => {
    const files = [0, 2, 4, 7, 9].map((z) => slice([0, 0, z], z * 10));
    const { volume } = await decodeSeries(files, { resample: true });
    expect(volume.geometry.size[2]).toBe(6);
    for (let k = 0; k < 6; k++) {
      const [, , z] = transformPoint(volume.geometry.ijkToLps, [0, 0, k]);
      expect(z).toBeCloseTo(k * 1.8, 9);
      expect(volume.voxels[k * perSlice]).toBe(Math.round(z * 10));
    }
  });

  test("are sheared back where the gantry was tilted: every voxel keeps its place in the patient", async () => {
    const bright = (k: number) => {
      const words = new Uint16Array(perSlice).fill(1024);
      words[columns + 2] = 1524;
      return slice([0, k * 0.5, k * 5], 0, { PixelData: new Uint8Array(words.buffer) });
    };
    const { volume, notes } = await decodeSeries([0, 1, 2, 3].map(bright), { resample: true });
    expect(volume.geometry.size).toEqual([columns, rows + 3, 4]);
    expect(notes.join()).toMatch(/5\.7 degrees.*0\.50 mm sideways/);
    const found: Vec3[] = [];
    for (let n = 0; n < volume.voxels.length; n++) {
      if (volume.voxels[n] !== 500) continue;
      const k = Math.floor(n / (columns * (rows + 3)));
      const j = Math.floor(n / columns) % (rows + 3);
      found.push(transformPoint(volume.geometry.ijkToLps, [n % columns, j, k]));
    }
    expect(found).toHaveLength(4);
    for (const [k, [x, y, z]] of found.entries()) {
      expect(x).toBeCloseTo(1.5, 9);
      expect(y).toBeCloseTo(0.5 + k * 0.5, 9);
      expect(z).toBeCloseTo(k * 5, 9);
    }
    expect(volume.sources.map(({ pixelsMoved }) => pixelsMoved)).toEqual([true, true, true, true]);
    for (const { sliceIndex, positionLps } of volume.sources) {
      expect(positionLps).toEqual(transformPoint(volume.geometry.ijkToLps, [0, 0, sliceIndex]));
    }
  });

  test("between two pixels take part of both, and are air beyond the edges", async () => {
    const ramp = (k: number) => {
      const words = Uint16Array.from({ length: perSlice }, (_, n) => 1024 + 100 * (Math.floor(n / columns) + 1));
      return slice([0, k * 0.25, k * 5], 0, { PixelData: new Uint8Array(words.buffer) });
    };
    const { volume } = await decodeSeries([0, 1, 2].map(ramp), { resample: true });
    const column = (k: number) =>
      Array.from({ length: rows + 1 }, (_, j) => volume.voxels[(k * (rows + 1) + j) * columns]);
    expect(column(0)).toEqual([100, 200, 300, 400, 100]);
    expect(column(1)).toEqual([100, 150, 250, 350, 400]);
    expect(column(2)).toEqual([100, 100, 200, 300, 400]);
  });

  test("leaves a regular series as it is", async () => {
    const files = [0, 2, 4].map((z) => slice([0, 0, z], z));
    expect(await decodeSeries(files, { resample: true })).toEqual(await decodeSeries(files));
  });

  test("refuses a hole that would make most of the volume up", async () => {
    const files = [0, 1, 2, 500].map((z) => slice([0, 0, z], z));
    await expect(decodeSeries(files, { resample: true })).rejects.toMatchObject({ reason: "too-large" });
  });
});
