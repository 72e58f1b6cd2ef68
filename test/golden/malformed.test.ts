import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { decodeSeries, readPart10 } from "#converters/dicom/index.ts";
import { UnsupportedImageError, UnsupportedSeriesError } from "#converters/errors.ts";
import { dataPath, describeWithData, hasSharedData } from "../fixtures/shared-data.ts";

const root = dataPath("malformed");
const files = hasSharedData
  ? readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
  : [];

/** A file that hangs fails by this. */
const HANG_MS = 2000;
const MAX_MEGABYTES = 512;

describeWithData("files made to break readers", () => {
  test("are all there", () => {
    expect(files.length).toBeGreaterThanOrEqual(186);
  });

  describe.each(files.map((path) => [relative(root, path), path]))("%s", (_, path) => {
    test("is parsed or refused by type", { timeout: HANG_MS }, async () => {
      const bytes = new Uint8Array(readFileSync(path));
      try {
        expect(readPart10(bytes).dataSet).toBeTypeOf("object");
      } catch (error) {
        expect(error).toBeInstanceOf(UnsupportedImageError);
      }
      // None of them is three slices of a volume.
      await expect(decodeSeries([bytes, bytes, bytes])).rejects.toBeInstanceOf(UnsupportedSeriesError);
    });
  });

  test(`never crash a reader of any kind, nor take ${HANG_MS} ms of processor time or ${MAX_MEGABYTES} MB`, {
    timeout: 60_000,
  }, async () => {
    const script = join(import.meta.dirname, "../fixtures/read-malformed.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [script, root], {
      maxBuffer: 2 ** 26,
      timeout: 50_000,
    });
    const { outcomes, slowestMs, peakMegabytes } = JSON.parse(stdout) as {
      outcomes: Record<string, readonly string[]>;
      slowestMs: number;
      peakMegabytes: number;
    };
    expect(Object.keys(outcomes)).toHaveLength(files.length);
    expect(
      Object.entries(outcomes).filter(([, results]) => results.some((result) => result.startsWith("crashed"))),
    ).toEqual([]);
    expect(slowestMs).toBeLessThan(HANG_MS);
    expect(peakMegabytes).toBeLessThan(MAX_MEGABYTES);
  });
});
