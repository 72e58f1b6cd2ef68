import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { decodeSeries, encodeSeg, maskOffSlices, maskOnSlices, maskOnto, openSeg } from "#converters/dicom/index.ts";
import { transformPoint } from "#converters/geometry/index.ts";
import { createBitVolume, unpackBits } from "#converters/mask/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { runCli } from "../fixtures/run-cli.ts";
import { segInput, segmentOf } from "../fixtures/seg-cases.ts";
import { UNEVEN, unevenSeries } from "../fixtures/uneven-series.ts";

const folder = mkdtempSync(join(tmpdir(), "parse3d-convert-like-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(Object.keys(UNEVEN) as (keyof typeof UNEVEN)[])(
  "a SEG of %s slices and the series that was resampled have one grid, and each slice the labels of the nearest",
  async (slices) => {
    const given = unevenSeries(UNEVEN[slices], 1);
    const { volume, header } = await decodeSeries(given.instances, { resample: true });
    const { geometry, stack } = volume;
    const [ni, nj, nk] = geometry.size;
    const mask = createBitVolume(geometry.size);
    for (let n = 0; n < ni * nj * nk; n++) {
      const at = transformPoint(geometry.ijkToLps, [n % ni, Math.floor(n / ni) % nj, Math.floor(n / ni / nj)]);
      if (given.depth(at) > 0) mask.bits[n >>> 3]! |= 1 << (n & 7);
    }
    const input = segInput(stack!.geometry, [segmentOf("object", maskOnSlices(mask, stack!))]);
    const seg = encodeSeg({ ...input, header, sources: stack!.sources, uneven: true });
    const of = (name: string) => join(folder, slices.replaceAll(/\W/g, "-"), name);
    mkdirSync(of("series"), { recursive: true });
    for (const [n, instance] of given.instances.entries()) writeFileSync(of(`series/${n}.dcm`), instance);
    writeFileSync(of("seg.dcm"), seg);

    const image = await runCli(["convert", of("series"), "--resample", "-o", of("image.nii")]);
    const like = ["--like", of("series"), "--resample"];
    const { code, out, err } = await runCli(["convert", of("seg.dcm"), ...like, "-o", of("labels.nii"), "--json"]);
    expect([image.code, code, err]).toEqual([0, 0, ""]);
    expect(JSON.parse(out).notes.join()).toContain("the labels of the nearest");
    const [labels, images] = ["labels.nii", "image.nii"].map((name) => readNifti(readFileSync(of(name))));
    expect(labels!.geometry).toEqual(images!.geometry);
    const onSlices = maskOnto(await openSeg(seg), 1, stack!);
    const wanted = unpackBits(maskOffSlices(onSlices, stack!, geometry.size).bits, 0, ni * nj * nk);
    expect(wanted.includes(1)).toBe(true);
    expect(labels!.voxels.findIndex((label, n) => label !== wanted[n])).toBe(-1);

    const unsaid = await runCli(["convert", of("seg.dcm"), "--like", of("series"), "-o", of("none.nii")]);
    expect([unsaid.code, unsaid.err]).toEqual([4, expect.stringContaining("--resample")]);
  },
);
