import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firstText, readPart10 } from "#converters/dicom/index.ts";
import { StoreRejectedError } from "#server/domain/errors.ts";
import type { ResultSink, SeriesSource } from "#server/domain/index.ts";
import { collect } from "../fixtures/collect.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

/** A sink, and the source that shows what it stored. */
export interface SinkUnderTest extends AsyncDisposable {
  readonly sink: ResultSink;
  readonly source: SeriesSource;
}

/** What every ResultSink keeps to. */
export function describeResultSink(name: string, open: () => Promise<SinkUnderTest>): void {
  describe(`${name} is a ResultSink`, () => {
    let under: SinkUnderTest;
    const { signal } = new AbortController();
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under?.[Symbol.asyncDispose]());

    test("what is stored can be fetched, byte for byte, and is named in the answer", async () => {
      const { series, file } = oneInstance("stored once");
      const { dataSet } = readPart10(file);
      expect(await under.sink.store(file, { signal })).toMatchObject({
        sopClassUid: firstText(dataSet, "SOPClassUID"),
        sopInstanceUid: firstText(dataSet, "SOPInstanceUID"),
      });
      const fetched = await collect(under.source.instances(series, { signal }));
      expect(fetched.map((instance) => Buffer.compare(instance, file))).toEqual([0]);
    });

    test("storing the same instance again succeeds, and the archive holds it once", async () => {
      const { series, file } = oneInstance("stored twice");
      const first = await under.sink.store(file, { signal });
      expect(await under.sink.store(file, { signal })).toEqual(first);
      expect((await under.source.describe(series, { signal })).instanceCount).toBe(1);
    });

    test("a view into a larger buffer is stored as it is", async () => {
      const { series, file } = oneInstance("a view");
      const larger = new Uint8Array(file.length + 30).fill(7);
      larger.set(file, 11);
      await under.sink.store(larger.subarray(11, 11 + file.length), { signal });
      const fetched = await collect(under.source.instances(series, { signal }));
      expect(fetched.map((instance) => Buffer.compare(instance, file))).toEqual([0]);
    });

    test.each([
      ["nothing", () => new Uint8Array()],
      ["no DICOM", () => new TextEncoder().encode("<html></html>".repeat(50))],
      ["a file that was cut short", () => oneInstance("cut").file.slice(0, 400)],
    ])("%s is rejected", async (_, bytes) => {
      await expect(under.sink.store(bytes(), { signal })).rejects.toBeInstanceOf(StoreRejectedError);
    });

    test("an abort ends with the signal's reason, and nothing is stored", async () => {
      const { series, file } = oneInstance("aborted");
      const aborted = AbortSignal.abort(new Error("stopped"));
      await expect(under.sink.store(file, { signal: aborted })).rejects.toThrow("stopped");
      await expect(under.source.describe(series, { signal })).rejects.toThrow("no such series");
    });
  });
}

function oneInstance(seed: string) {
  const { series, instances } = syntheticCt(1, 64, seed);
  const [file = new Uint8Array()] = instances();
  return { series, file };
}
