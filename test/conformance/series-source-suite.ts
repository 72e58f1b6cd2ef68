import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { firstText, readPart10 } from "#converters/dicom/index.ts";
import { InvalidRequestError, SeriesNotFoundError } from "#server/domain/errors.ts";
import type { SeriesRef, SeriesSource } from "#server/domain/index.ts";
import { collect } from "../fixtures/collect.ts";

/** A source whose archive holds the series, and another series in another study. */
export interface SourceUnderTest extends AsyncDisposable {
  readonly source: SeriesSource;
  readonly series: SeriesRef;
  readonly modality: string;
  /** The files as they were given to the archive. */
  readonly files: readonly Uint8Array[];
  readonly otherStudyInstanceUid: string;
}

/** What every SeriesSource keeps to. */
export function describeSeriesSource(name: string, open: () => Promise<SourceUnderTest>): void {
  describe(`${name} is a SeriesSource`, () => {
    let under: SourceUnderTest;
    const { signal } = new AbortController();
    beforeAll(async () => {
      under = await open();
    });
    afterAll(() => under?.[Symbol.asyncDispose]());

    test("it says the modality and how many instances there are", async () => {
      const { source, series, modality, files } = under;
      expect(await source.describe(series, { signal })).toEqual({ modality, instanceCount: files.length });
    });

    test("every instance comes once, byte for byte as it was stored", async () => {
      const { source, series, files } = under;
      const stored = new Map(files.map((file) => [uidOf(file), file]));
      const seen = new Set<string>();
      for await (const instance of source.instances(series, { signal })) {
        const uid = uidOf(instance);
        expect(seen).not.toContain(uid);
        seen.add(uid);
        expect(Buffer.compare(instance, stored.get(uid) ?? Buffer.alloc(0))).toBe(0);
      }
      expect(seen.size).toBe(files.length);
    });

    test("an instance that is kept keeps no other bytes in memory", async () => {
      for await (const instance of under.source.instances(under.series, { signal })) {
        expect(instance.buffer.byteLength).toBe(instance.byteLength);
      }
    });

    test("a series that is not there is not found, and the message holds no UID", async () => {
      const unknown = { ...under.series, seriesInstanceUid: "2.25.1234567890" };
      for (const refusal of await refusals(under.source, unknown)) {
        expect(refusal).toBeInstanceOf(SeriesNotFoundError);
        expect(refusal.message).not.toMatch(/\d\.\d/);
      }
    });

    test("a series of another study is refused with that reason", async () => {
      const misplaced = { ...under.series, studyInstanceUid: under.otherStudyInstanceUid };
      for (const refusal of await refusals(under.source, misplaced)) {
        expect(refusal).toBeInstanceOf(SeriesNotFoundError);
        expect(refusal.message).toContain("not in that study");
      }
    });

    test.each(["", "1", "1..2", "1.02", "1.2/../3", "1.2?x=3", "1.2 ", `1.${"2".repeat(63)}`, "../../system"])(
      "%j is no UID, and is refused as such",
      async (text) => {
        const wrong = [
          { ...under.series, seriesInstanceUid: text },
          { ...under.series, studyInstanceUid: text },
        ];
        for (const series of wrong) {
          for (const refusal of await refusals(under.source, series)) {
            expect(refusal).toBeInstanceOf(InvalidRequestError);
          }
        }
      },
    );

    test("an abort before the first instance, and in the middle, ends with the signal's reason", async () => {
      const { source, series } = under;
      const aborted = AbortSignal.abort(new Error("stopped before"));
      await expect(source.describe(series, { signal: aborted })).rejects.toThrow("stopped before");
      await expect(collect(source.instances(series, { signal: aborted }))).rejects.toThrow("stopped before");

      const stop = new AbortController();
      let came = 0;
      const watching = async () => {
        for await (const _ of source.instances(series, { signal: stop.signal })) {
          if (++came === 2) stop.abort(new Error("stopped midway"));
        }
      };
      await expect(watching()).rejects.toThrow("stopped midway");
      expect(came).toBeLessThan(under.files.length);
    });

    test("a reader that leaves early can come back", async () => {
      const { source, series, files } = under;
      for await (const _ of source.instances(series, { signal })) break;
      expect(await collect(source.instances(series, { signal }))).toHaveLength(files.length);
    });
  });
}

async function refusals(source: SeriesSource, series: SeriesRef): Promise<Error[]> {
  const { signal } = new AbortController();
  const asked = [source.describe(series, { signal }), collect(source.instances(series, { signal }))];
  return Promise.all(
    asked.map(async (asking) => {
      try {
        await asking;
      } catch (error) {
        if (error instanceof Error) return error;
      }
      throw new Error("it was not refused");
    }),
  );
}

function uidOf(part10: Uint8Array): string {
  return firstText(readPart10(part10, { stopBeforePixels: true }).dataSet, "SOPInstanceUID") ?? "";
}
