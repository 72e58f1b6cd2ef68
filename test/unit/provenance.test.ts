import { expect, test } from "vitest";
import { decodeSeg, encodeSeg } from "#converters/dicom/index.ts";
import { replaySeg } from "#server/cohort/index.ts";
import { type Ports, readProvenance } from "#server/domain/index.ts";
import { writeProvenance } from "../../server/domain/provenance.ts";
import { exclusiveSegments, geometryOf, segInput } from "../fixtures/seg-cases.ts";

const card = {
  name: "density-ct",
  sha256: "ab".repeat(32),
  licence: "CC-BY-NC-SA-4.0",
  nonCommercial: true,
  intendedUse: "Research. Not for diagnosis or any clinical decision.",
};
const prompts = [{ id: "p1", text: "bone" }];
const input = segInput(geometryOf("oblique", [8, 8, 3]), exclusiveSegments([8, 8, 3], 2));

test("a SEG holds its question in Algorithm Parameters, whatever its words are", () => {
  const notFound = ['"left"\\right', "左腎 Ö", "line, with = and ^"];
  const question = { prompts, threshold: 0.7, minimumVolumeMm3: 5, resample: true, merge: "overlapping" } as const;
  const parameters = writeProvenance(question, card, notFound);
  const seg = decodeSeg(encodeSeg({ ...input, algorithm: { ...input.algorithm, parameters } }));
  for (const { algorithmParameters } of seg.segments) {
    expect(readProvenance(algorithmParameters)).toEqual({
      model: "density-ct",
      modelSha256: card.sha256,
      merge: "overlapping",
      threshold: 0.7,
      minimumVolumeMm3: 5,
      resample: true,
      notFound,
    });
  }
  expect(decodeSeg(encodeSeg(input)).segments[0]?.algorithmParameters).toBeUndefined();
});

test("each segment says what its model may be used for", () => {
  const parameters = writeProvenance({ prompts }, card, []);
  const seg = decodeSeg(encodeSeg({ ...input, algorithm: { ...input.algorithm, parameters } }));
  const { licence, nonCommercial, intendedUse } = card;
  for (const { algorithmParameters } of seg.segments)
    expect(JSON.parse(algorithmParameters ?? "")).toMatchObject({ licence, nonCommercial, intendedUse });
});

test("it says whether the model was asked in sentences, and is as it always was where it was not", () => {
  const written = (phrasing?: "sentence") =>
    JSON.parse(writeProvenance({ prompts }, { ...card, ...(phrasing && { phrasing }) }, []));
  expect(written("sentence")).toEqual({ ...written(), phrasing: "sentence" });
  expect(written()).not.toHaveProperty("phrasing");
});

test("it fits into the element however much was not found", () => {
  const many = Array.from({ length: 200 }, (_, n) => `structure ${n} ${"x".repeat(280)}`);
  const text = writeProvenance({ prompts }, { ...card, intendedUse: "x".repeat(2000) }, many);
  expect(text.length).toBeLessThan(10_240);
  expect(readProvenance(text)).toEqual({ model: "density-ct", modelSha256: card.sha256, merge: "exclusive" });
});

test.each([undefined, "", "--epochs 3", "{}", "[]", '{"model":1}', "null"])("%j is no question of ours", (text) => {
  expect(readProvenance(text)).toBeUndefined();
});

test("a SEG that was made of another one is not replayed: the other one is named", async () => {
  const of = { sopClassUid: "1.2.840.10008.5.1.4.1.1.66.4", sopInstanceUid: "1.2.3.4.5" };
  const edited = encodeSeg({ ...input, revision: { of, what: "Edited by hand", byPerson: true } });
  expect(decodeSeg(edited).revisionOf).toBe(of.sopInstanceUid);
  const run = { signal: new AbortController().signal, progress: () => {}, note: () => {}, finding: () => {} };
  await expect(replaySeg({} as Ports, edited, run)).rejects.toThrow("1.2.3.4.5");
});
