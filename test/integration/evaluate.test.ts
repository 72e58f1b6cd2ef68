import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { runCli } from "../fixtures/run-cli.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

const Answer = z.object({
  summaries: z.array(z.object({ target: z.string(), dice: z.object({ count: z.int(), mean: z.number() }) })),
  rows: z.array(
    z.object({ case: z.int(), target: z.string(), dice: z.number(), hd95Mm: z.number(), referenceMl: z.number() }),
  ),
});

/** What TotalSegmentator calls vertebrae and ribs, and the lungs' lobes. */
const ct = {
  image: dataPath("nifti_ct_mr_totalseg", "example_ct_sm.nii.gz"),
  reference: dataPath("nifti_ct_mr_totalseg", "example_seg.nii.gz"),
  modality: "CT",
  model: "density-ct",
  targets: {
    bone: [30, 31, 32, 33, 98, 99, 100, 101, 102, 103, 110, 111, 112, 113, 114, 115],
    lung: [10, 11, 13, 14],
  },
};
const threeSlices = dataPath("seg_producers", "dcmqi", "ct-3slice");
const liver = dataPath("seg_producers", "dcmqi", "liver.dcm");

describeWithData("parse3d evaluate", () => {
  let folder: string;
  let environment: Readonly<Record<string, string>>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-evaluate-"));
    environment = { PARSE3D_DATA_DIR: join(folder, "data") };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function evaluate(cases: unknown, ...options: readonly string[]) {
    const list = join(folder, "list.json");
    await writeFile(list, JSON.stringify({ cases }));
    return runCli(["evaluate", "--pairs", list, "--json", ...options], environment);
  }

  test("asks a model, measures, and writes tables and a page", async () => {
    const results = join(folder, "results");
    const { code, out, err } = await evaluate([ct], "--output", results, "--pictures", "1");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { summaries, rows } = Answer.parse(JSON.parse(out));
    expect(summaries.map(({ target }) => target)).toEqual(["bone", "lung"]);
    // From the labels' own counts of voxels of 27 mm3.
    expect(rows.map(({ referenceMl }) => referenceMl)).toEqual([210.195, 116.289]);
    // Density rules find dense bone without its marrow, and the lungs among other air.
    expect(rows[0]!.dice).toBeGreaterThan(0.4);
    expect(rows[0]!.dice).toBeLessThan(0.6);
    expect((await readFile(join(results, "cases.csv"), "utf8")).split("\r\n")[1]).toMatch(/^1,bone,density-ct /);
    expect((await readFile(join(results, "summary.csv"), "utf8")).split("\r\n")).toHaveLength(4);
    const page = await readFile(join(results, "report.html"), "utf8");
    expect(page.match(/<figure>/g)).toHaveLength(1);
    expect(page).not.toContain("example_");
  });

  test("takes DICOM: a series as the image, segments by name or number as reference and prediction", async () => {
    const same = dataPath("seg_producers", "pydicom_data", "liver_j2k.dcm");
    const { code, out } = await evaluate([
      { image: threeSlices, reference: liver, prediction: same, label: "liver", predictionLabel: 1 },
      { image: threeSlices, reference: liver, targets: { "soft tissue": "Liver" } },
    ]);
    expect(code).toBe(0);
    const [given, asked] = Answer.parse(JSON.parse(out)).rows;
    expect(given).toMatchObject({ case: 1, target: "liver", dice: 1, hd95Mm: 0 });
    // A liver is soft tissue, and there is more of that around it.
    expect(asked).toMatchObject({ case: 2, target: "soft tissue", referenceMl: given!.referenceMl });
    expect(asked!.dice).toBeGreaterThan(0.5);
  });

  test("cases that cannot be compared are named, the others are finished, and the exit code says that it is not all", async () => {
    const results = join(folder, "partly");
    const given = { reference: liver, prediction: liver, label: 1, target: "liver" };
    const { code, out, err } = await evaluate(
      [
        given,
        { ...ct, reference: dataPath("nifti_ct_mr_totalseg", "example_seg_mr.nii.gz") },
        { ...given, prediction: "absent.nii.gz" },
        given,
      ],
      "--output",
      results,
    );
    expect({ code, err }).toEqual({ code: 4, err: "" });
    const { rows, failed, cases } = Answer.extend({
      cases: z.int(),
      failed: z.array(z.object({ case: z.int(), code: z.string(), detail: z.string() })),
    }).parse(JSON.parse(out));
    expect([cases, rows.map((row) => [row.case, row.dice])]).toEqual([
      4,
      [
        [1, 1],
        [4, 1],
      ],
    ]);
    expect(failed.map((one) => [one.case, one.code])).toEqual([
      [2, "unsupported-image"],
      [3, "invalid-request"],
    ]);
    expect(failed[0]!.detail).toMatch(
      /^Case 2: The reference is 117 x 91 x 20 voxels .* is 122 x 101 x 30 voxels of 3 x 3 x 3 mm/,
    );
    expect(failed[1]!.detail).toContain("The prediction cannot be read: ENOENT");
    expect((await readFile(join(results, "cases.csv"), "utf8")).split("\r\n")).toHaveLength(6);
    expect(await readFile(join(results, "report.html"), "utf8")).toContain("<li>Case 3: The prediction cannot be read");
  });

  test.each([
    [
      "an unknown segment",
      { image: threeSlices, reference: liver, targets: { bone: "spleen" } },
      2,
      'no segment called "spleen"',
    ],
    ["an unknown model", { ...ct, model: "no-such-model" }, 3, "no model of that name"],
    ["a NIfTI image of nobody knows what", { ...ct, modality: undefined }, 2, 'Add "modality"'],
    ["a file that is not there", { ...ct, image: "absent.nii.gz" }, 2, "Case 1"],
  ])("%s is refused in plain words", async (_, one, code, words) => {
    const { code: ended, err } = await evaluate([one]);
    expect(ended).toBe(code);
    expect(err).toContain(words);
  });
});
