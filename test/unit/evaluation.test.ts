import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Mat4, Vec3, VolumeGeometry } from "#converters/geometry/index.ts";
import { writeNifti } from "#converters/nifti/index.ts";
import { overlayPicture } from "#converters/picture/index.ts";
import { InvalidRequestError, type ModelRegistry } from "#server/domain/index.ts";
import {
  casesCsv,
  EvaluationCaseError,
  estimate,
  evaluate,
  type Row,
  readCaseList,
  reportPage,
  shareOf,
  summarise,
  summaryCsv,
  worstPictures,
} from "#server/evaluation/index.ts";
import { bitsOf, box } from "../fixtures/agreement-cases.ts";
import { collect } from "../fixtures/collect.ts";

type EvaluateFailed = Parameters<typeof evaluate>[1]["failed"];

describe("means and their intervals", () => {
  test("below 30 values it is Student's t, as scipy computes it", () => {
    // scipy.stats.t.interval(0.95, 4, loc=mean, scale=sem) of these
    const found = estimate([0.81, 0.79, 0.9, 0.85, 0.7]);
    expect(found).toMatchObject({ count: 5, interval: { method: "t" } });
    expect(found!.mean).toBeCloseTo(0.81, 12);
    expect(found!.interval!.low).toBeCloseTo(0.7174981155, 4);
    expect(found!.interval!.high).toBeCloseTo(0.9025018845, 4);
  });

  test("an interval ends where no value can lie", () => {
    expect(estimate([0.99, 0.5], [0, 1])!.interval).toMatchObject({ low: 0, high: 1 });
  });

  test("from 30 values on it is a bootstrap: the same each time, and near the normal one of an even scatter", () => {
    const values = Array.from({ length: 100 }, (_, n) => n / 99);
    const found = estimate(values)!;
    expect(found).toEqual(estimate(values));
    expect(found.interval!.method).toBe("bootstrap");
    const half = 1.96 * Math.sqrt((100 * 101) / (12 * 99 ** 2) / 100);
    expect(found.interval!.low).toBeCloseTo(0.5 - half, 2);
    expect(found.interval!.high).toBeCloseTo(0.5 + half, 2);
  });

  test("of a single value there is a mean alone, and of none nothing", () => {
    expect(estimate([3])).toEqual({ count: 1, mean: 3 });
    expect(estimate([])).toBeUndefined();
    expect(shareOf(0, 0)).toBeUndefined();
  });

  test("a share has Wilson's interval", () => {
    // scipy.stats.binomtest(9, 10).proportion_ci(method="wilson")
    const found = shareOf(9, 10)!;
    expect(found.low).toBeCloseTo(0.5958, 4);
    expect(found.high).toBeCloseTo(0.9821, 4);
  });
});
const row = (given: Partial<Row>): Row => ({
  case: 1,
  target: "liver",
  score: null,
  inReference: true,
  inPrediction: true,
  referenceMl: 10,
  predictionMl: 12,
  volumeErrorMl: 2,
  volumeErrorPercent: 20,
  dice: 0.8,
  surfaceDice: 0.9,
  hd95Mm: 3,
  ...given,
});
const missed = row({ case: 2, inPrediction: false, predictionMl: 0, dice: 0, hd95Mm: Number.POSITIVE_INFINITY });
const { dice: _, surfaceDice: __, hd95Mm: ___, volumeErrorPercent: ____, ...rest } = row({ case: 3 });
const absent: Row = {
  ...rest,
  ...{ inReference: false, inPrediction: false, referenceMl: 0, predictionMl: 0, volumeErrorMl: 0 },
  ...{ dice: undefined, surfaceDice: undefined, hd95Mm: undefined, volumeErrorPercent: undefined },
};

describe("the summary", () => {
  test("a miss counts as Dice 0 and has no part in the mean distance; what nobody has counts as neither", () => {
    const [found, ...others] = summarise([row({}), missed, absent]);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ target: "liver", cases: 3, infiniteHd95: 1 });
    expect(found!.dice).toMatchObject({ count: 2, mean: 0.4 });
    expect(found!.hd95Mm).toEqual({ count: 1, mean: 3 });
    expect(found!.presence).toMatchObject({ both: 1, onlyReference: 1, onlyPrediction: 0, neither: 1 });
    expect(found!.presence.recall).toMatchObject({ share: 0.5, of: 2 });
    expect(found!.presence.precision).toMatchObject({ share: 1, of: 1 });
  });

  test("two models are never one mean", () => {
    expect(summarise([row({ model: "a 1" }), row({ model: "b 1" })]).map(({ cases }) => cases)).toEqual([1, 1]);
  });

  test("the tables write infinity as a word and what has no value as nothing, and start no formula", () => {
    const failure = new EvaluationCaseError(7, new InvalidRequestError("The image cannot be read: ENOENT, gone."));
    const lines = casesCsv([row({ target: "=cmd()" }), missed, absent], [failure], 1).split("\r\n");
    expect(lines[1]).toContain("'=cmd()");
    expect(lines[2]).toContain(",inf,");
    expect(lines[3]).toBe("3,liver,,false,false,,,,1,,0,0,0,,");
    expect(lines[4]).toBe('7,,,,,,,,,,,,,,"Case 7: The image cannot be read: ENOENT, gone."');
    expect(new Set(lines.slice(0, 4).map((line) => line.split(",").length))).toEqual(new Set([15]));
    const summary = summaryCsv(summarise([row({}), missed]), 1).split("\r\n");
    expect(summary[1]!.split(",").length).toBe(summary[0]!.split(",").length);
  });
});

test("an outline alone leaves the picture within it as it is", () => {
  const size: Vec3 = [20, 20, 20];
  const geometry = {
    size,
    ijkToLps: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    frameOfReferenceUid: "",
  } as const;
  const volume = {
    geometry,
    voxels: new Uint8Array(8000).fill(9),
    unit: "arbitrary",
    modality: "MR",
    sources: [],
  } as const;
  const mask = bitsOf(size, box(size, [4, 4, 4], [16, 16, 16]));
  const greys = (filled: boolean) => {
    const { width, pixels } = overlayPicture({ volume, masks: [{ name: "a", mask, colour: [255, 0, 0], filled }] });
    // The middle of the first plane: 12 pixels of margin, 440 of picture.
    const at = ((12 + 220) * width + 12 + 220) * 3;
    return new Set(pixels.subarray(at, at + 3)).size;
  };
  expect([greys(false), greys(true)]).toEqual([1, 2]);
});

describe("the list", () => {
  const list = (cases: unknown) => JSON.stringify({ cases });

  test("holds images to ask about and predictions that are there", () => {
    const asked = {
      image: "a.nii",
      reference: "b.nii",
      targets: { liver: 5, lungs: [10, 11], tumour: "Mass" },
      modality: "CT",
    };
    const given = { prediction: "p.dcm", reference: "r.dcm", label: "Liver" };
    expect(readCaseList(list([asked, given]))).toEqual([asked, given]);
  });

  test.each([
    ["not JSON", "{", "not JSON"],
    ["no cases", list([]), "cases"],
    ["a case without a reference", list([{ image: "a", targets: { liver: 1 } }]), "case 1, reference"],
    ["a prediction without its label", list([{ prediction: "a", reference: "b" }]), "case 1, label"],
    ["background as a target", list([{ image: "a", reference: "b", targets: { liver: 0 } }]), "case 1, targets.liver"],
    ["no target", list([{ image: "a", reference: "b", targets: {} }]), "names no target"],
    ["an unknown word", list([{ image: "a", reference: "b", targets: { x: 1 }, modell: "m" }]), "modell"],
  ])("%s is refused, and where is said", (_, text, words) => {
    expect(() => readCaseList(text)).toThrow(words);
  });
});

describe("evaluating predictions that are there", () => {
  const size: Vec3 = [12, 10, 8];
  const lps: Mat4 = [1, 0, 0, -6, 0, 1, 0, 4, 0, 0, 2, 9, 0, 0, 0, 1];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-evaluation-"));
    const grid = (ijkToLps: Mat4): VolumeGeometry => ({ size, ijkToLps, frameOfReferenceUid: "" });
    const reference = box(size, [2, 2, 2], [8, 6, 6]);
    // The same places, stored with j the other way round.
    const turned: Mat4 = [1, 0, 0, -6, 0, -1, 0, 13, 0, 0, 2, 9, 0, 0, 0, 1];
    const files = {
      "patient-DOE.nii": writeNifti({ geometry: grid(lps), voxels: reference }, { gzip: false }),
      "turned.nii": writeNifti({ geometry: grid(turned), voxels: box(size, [2, 4, 2], [8, 8, 6]) }, { gzip: false }),
      "text.nii": new TextEncoder().encode("not an image ".repeat(40)),
      "cut.nii": writeNifti({ geometry: grid(lps), voxels: reference }, { gzip: false }).subarray(0, 900),
      "shifted.nii": writeNifti(
        { geometry: grid([1, 0, 0, -5, 0, 1, 0, 4, 0, 0, 2, 9, 0, 0, 0, 1]), voxels: reference },
        { gzip: false },
      ),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const models = { choose: () => Promise.reject(new Error("no model is asked")) } as unknown as ModelRegistry;
  const compareAll = (predictions: readonly string[], label: number | string, failed: EvaluateFailed) =>
    collect(
      evaluate(
        predictions.map((prediction) => ({ prediction, reference: "patient-DOE.nii", label })),
        {
          models,
          listPath: join(folder, "list.json"),
          toleranceMm: 1,
          signal: new AbortController().signal,
          failed,
        },
      ),
    );
  const compare = async (prediction: string, label: number | string = 1) => {
    const failures: Error[] = [];
    const compared = await compareAll([prediction], label, (error) => failures.push(error));
    if (failures[0]) throw failures[0];
    return compared;
  };

  test("a case that cannot be compared is told, with which file and why, and the others are compared", async () => {
    const failures: EvaluationCaseError[] = [];
    const all = ["turned.nii", "gone.nii", "text.nii", "cut.nii", "shifted.nii", "patient-DOE.nii"];
    const compared = await compareAll(all, 1, (error) => failures.push(error));
    expect(compared.map(({ row: { case: number, dice } }) => [number, dice])).toEqual([
      [1, 1],
      [6, 1],
    ]);
    expect(failures.map(({ number, message }) => [number, message.split(". ")[0]])).toEqual([
      [2, expect.stringMatching(/^Case 2: The prediction cannot be read: ENOENT/)],
      [3, "Case 3: The prediction cannot be used"],
      [4, "Case 4: The prediction cannot be used"],
      [5, expect.stringMatching(/^Case 5: The prediction is 12 x 10 x 8 voxels/)],
    ]);
    expect(failures[1]!.message).toContain("It is neither NIfTI nor DICOM");
    expect(failures[2]!.message).toContain("fewer voxels than its header declares");
  });

  test("the report and the tables name what could not be compared", async () => {
    const failures = [new EvaluationCaseError(2, new InvalidRequestError("The <image> cannot be read."))];
    const [rows, summaries] = [[row({})], summarise([row({})])];
    const page = reportPage({ version: "1", toleranceMm: 1, rows, failures, summaries, pictures: [], picturesLeft: 0 });
    expect(page).toContain("<li>Case 2: The &lt;image&gt; cannot be read.</li>");
    const whole = reportPage({
      version: "1",
      toleranceMm: 1,
      rows,
      failures: [],
      summaries,
      pictures: [],
      picturesLeft: 0,
    });
    expect(whole).not.toContain("Not compared");
  });

  test("labels that are stored the other way round are the same labels", async () => {
    const [found] = await compare("turned.nii");
    expect(found!.row).toMatchObject({ case: 1, target: "label 1", dice: 1, hd95Mm: 0, inPrediction: true });
  });

  test("another grid is refused, with both grids' figures and the case's number, and without a file's name", async () => {
    const failure = await compare("shifted.nii").catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({
      name: "EvaluationCaseError",
      code: "unsupported-image",
      details: { case: 1, furthestMm: 1, size },
    });
    expect((failure as Error).message).toMatch(
      /^Case 1: The prediction is 12 x 10 x 8 voxels of 1 x 1 x 2 mm.* 1\.00 mm apart/,
    );
    expect((failure as Error).message).not.toMatch(/DOE|shifted/);
  });

  test("a name for a label is refused of a NIfTI file, which has none", async () => {
    await expect(compare("turned.nii", "liver")).rejects.toThrow("Case 1: The reference is a NIfTI label map");
  });

  test("the report is one page that loads nothing and names cases by number only", async () => {
    const compared = await compare("turned.nii");
    const worst = worstPictures(1);
    for (const one of [...compared, ...compared]) worst.add(one);
    const rows = compared.map((one) => one.row);
    const { pictures, left: picturesLeft } = worst;
    expect(picturesLeft).toBe(1);
    const none = worstPictures(0);
    for (const one of [...compared, ...compared]) none.add(one);
    expect(none).toMatchObject({ pictures: [], left: 2 });
    const summaries = summarise(rows);
    const page = reportPage({ version: "1", toleranceMm: 1, rows, failures: [], summaries, pictures, picturesLeft });
    expect(page).toContain("Case 1, label 1: Dice 1.000");
    expect(page).toContain('src="data:image/png;base64,iVBOR');
    expect(page).not.toMatch(/https?:|DOE|turned|<script/);
  });

  test("of a case that broke off there is no picture, and it is not counted among those without one", async () => {
    const [found] = await compare("turned.nii");
    const worst = worstPictures(2);
    for (const number of [1, 2, 2, 3]) worst.add({ ...found!, row: { ...found!.row, case: number } });
    worst.leaveOut(2);
    worst.leaveOut(4);
    expect([worst.pictures.map((one) => one.row.case), worst.left]).toEqual([[1], 1]);
  });

  test("words of the list are text in the report, never markup", () => {
    const rows = [row({ target: "<img src=x>" })];
    const page = reportPage({
      version: "1",
      toleranceMm: 1,
      rows,
      failures: [],
      summaries: summarise(rows),
      pictures: [],
      picturesLeft: 0,
    });
    expect(page).not.toContain("<img src=x>");
  });
});
