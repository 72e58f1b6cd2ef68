import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InvalidRequestError } from "#server/domain/errors.ts";
import type { ArchiveContents, ResultSink, SeriesRef, StoredInstance } from "#server/domain/index.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";

/** An archive that can be asked, and the way into it. */
export interface ArchiveUnderTest extends AsyncDisposable {
  readonly archive: ArchiveContents;
  readonly sink: ResultSink;
}

/** What every ArchiveContents keeps to. */
export function describeArchiveContents(name: string, open: () => Promise<ArchiveUnderTest>): void {
  describe(`${name} tells what it holds`, () => {
    const { signal } = new AbortController();
    let under: ArchiveUnderTest;
    let series: SeriesRef;
    let other: SeriesRef;
    let stored: StoredInstance[];
    beforeAll(async () => {
      under = await open();
      const keep = async (seed: string, slices: number) => {
        const { series: where, instances } = syntheticCt(slices, 32, seed);
        const kept: StoredInstance[] = [];
        for (const file of instances()) kept.push(await under.sink.store(file, { signal }));
        return { where, kept };
      };
      ({ where: series, kept: stored } = await keep("contents", 7));
      ({ where: other } = await keep("other contents", 1));
    });
    afterAll(() => under?.[Symbol.asyncDispose]());

    test("a series lists each of its instances once, and no other's", async () => {
      const listed = await under.archive.listInstances(series, { signal });
      expect([...listed].sort()).toEqual(stored.map(({ sopInstanceUid }) => sopInstanceUid).sort());
    });

    test("an instance is held in its own series and study, and nowhere else", async () => {
      const [{ sopInstanceUid } = { sopInstanceUid: "" }] = stored;
      const holds = (where: SeriesRef, uid = sopInstanceUid) =>
        under.archive.holds({ ...where, sopInstanceUid: uid }, { signal });
      expect(await holds(series)).toBe(true);
      expect(await holds(series, "2.25.1234567890")).toBe(false);
      expect(await holds(other)).toBe(false);
      expect(await holds({ ...series, studyInstanceUid: other.studyInstanceUid })).toBe(false);
      expect(await holds({ ...series, seriesInstanceUid: "2.25.1234567890" })).toBe(false);
    });

    test.each(["", "1..2", "1.2/../3"])("%j is no UID, and is refused as such", async (wrong) => {
      const { archive } = under;
      const asked = [
        () => archive.listInstances({ ...series, seriesInstanceUid: wrong }, { signal }),
        () => archive.holds({ ...series, sopInstanceUid: wrong }, { signal }),
        () => archive.holds({ ...series, studyInstanceUid: wrong, sopInstanceUid: "1.2" }, { signal }),
      ];
      for (const asking of asked) await expect(asking()).rejects.toBeInstanceOf(InvalidRequestError);
    });

    test("an abort ends with the signal's reason", async () => {
      const aborted = { signal: AbortSignal.abort(new Error("stopped")) };
      await expect(under.archive.listInstances(series, aborted)).rejects.toThrow("stopped");
      await expect(under.archive.holds({ ...series, sopInstanceUid: "1.2" }, aborted)).rejects.toThrow("stopped");
    });
  });
}
