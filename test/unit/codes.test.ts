import { describe, expect, test } from "vitest";
import table from "#converters/dicom/code-table.generated.json" with { type: "json" };
import { codesForPrompt } from "#converters/dicom/index.ts";

/** Type, category, side, region and its side: what a segment of these words is called. */
function codesOf(prompt: string) {
  const { category, type, typeModifier, anatomicRegion, anatomicRegionModifier, confidence } = codesForPrompt(prompt);
  return [
    type.value,
    category.meaning,
    ...(typeModifier ? [typeModifier.meaning] : []),
    ...(anatomicRegion ? [`in ${anatomicRegion.value}`] : []),
    ...(anatomicRegionModifier ? [anatomicRegionModifier.meaning] : []),
    ...(confidence === "fallback" ? ["fallback"] : []),
  ];
}

const [TISSUE, STRUCTURE, ABNORMAL] = ["Tissue", "Anatomical Structure", "Morphologically Abnormal Structure"];

describe("what the built-in density rules can find has its code", () => {
  test.each([
    ["bone", ["3138006", TISSUE]],
    ["skeleton", ["3138006", TISSUE]],
    ["skull", ["89546000", STRUCTURE]],
    ["lung", ["39607008", STRUCTURE]],
    ["air", ["15158005", "Substance"]],
    ["fat", ["55603005", TISSUE]],
    ["soft tissue", ["87784001", TISSUE]],
    ["contrast", ["7140000", "Substance"]],
    ["contrast-filled or calcified", ["85756007", TISSUE, "fallback"]],
    ["calcification", ["52988006", ABNORMAL, "fallback"]],
    ["metal", ["19227008", "Physical object", "fallback"]],
    ["body", ["38266002", STRUCTURE]],
  ])("%s", (prompt, codes) => {
    expect(codesOf(prompt)).toEqual(codes);
  });
});

describe("the structures of the brain have their codes", () => {
  test.each([
    ["Cerebral-White-Matter", "68523003"],
    ["Cerebral-Cortex", "40146001"],
    ["Lateral-Ventricle", "66720007"],
    ["Inferior-Lateral-Ventricle", "53118009"],
    ["Cerebellum-White-Matter", "33060004"],
    ["Cerebellum-Cortex", "25991003"],
    ["Thalamus", "42695009"],
    ["Caudate", "11000004"],
    ["Putamen", "89278009"],
    ["Pallidum", "14738005"],
    ["3rd-Ventricle", "49841001"],
    ["4th-Ventricle", "35918002"],
    ["third ventricle", "49841001"],
    ["Brain-Stem", "119238007"],
    ["brainstem", "119238007"],
    ["Hippocampus", "5366008"],
    ["hippocampi", "5366008"],
    ["Amygdala", "4958002"],
    ["Accumbens-area", "427667007"],
    ["VentralDC", "110700"],
    ["ventral diencephalon", "110700"],
    ["cerebellum", "113305005"],
    ["brain", "12738006"],
    ["white matter", "389080008"],
    ["grey matter", "389081007"],
  ])("%s", (prompt, value) => {
    expect(codesOf(prompt)).toEqual([value, STRUCTURE]);
  });
});

describe("organs, with their side, have their codes", () => {
  test.each([
    ["liver", ["10200004", STRUCTURE]],
    ["spleen", ["78961009", STRUCTURE]],
    ["pancreas", ["15776009", STRUCTURE]],
    ["stomach", ["69695003", STRUCTURE]],
    ["gallbladder", ["28231008", STRUCTURE]],
    ["gall bladder", ["28231008", STRUCTURE]],
    ["urinary bladder", ["89837001", STRUCTURE]],
    ["oesophagus", ["32849002", STRUCTURE]],
    ["aorta", ["15825003", STRUCTURE]],
    ["IVC", ["64131007", STRUCTURE]],
    ["kidneys", ["64033007", STRUCTURE]],
    ["left kidney", ["64033007", STRUCTURE, "Left"]],
    ["Kidney (right)", ["64033007", STRUCTURE, "Right"]],
    ["bilateral lungs", ["39607008", STRUCTURE, "Bilateral"]],
    ["left and right lung", ["39607008", STRUCTURE, "Bilateral"]],
    ["right adrenal gland", ["23451007", STRUCTURE, "Right"]],
    ["left hippocampus", ["5366008", STRUCTURE, "Left"]],
    ["left ventricle", ["87878005", STRUCTURE]],
    ["left upper lobe", ["45653009", STRUCTURE, "Left"]],
    ["LUL", ["45653009", STRUCTURE, "Left"]],
    ["L1 vertebra", ["66794005", STRUCTURE]],
    ["T1 vertebra", ["64864005", STRUCTURE]],
    ["heart", ["80891009", STRUCTURE]],
    ["whole heart", ["80891009", STRUCTURE]],
    ["lymph nodes", ["59441001", TISSUE]],
  ])("%s", (prompt, codes) => {
    expect(codesOf(prompt)).toEqual(codes);
  });
});

describe("a finding has the organ as its region", () => {
  test.each([
    ["liver tumor", ["108369006", ABNORMAL, "in 10200004"]],
    ["liver tumours", ["108369006", ABNORMAL, "in 10200004"]],
    ["tumor of the liver", ["108369006", ABNORMAL, "in 10200004"]],
    ["left kidney cyst", ["367643001", ABNORMAL, "in 64033007", "Left"]],
    ["lung nodule", ["27925004", ABNORMAL, "in 39607008"]],
    ["tumor in the left lung", ["108369006", ABNORMAL, "in 39607008", "Left"]],
    ["colon cancer primaries", ["372087000", ABNORMAL, "in 71854001"]],
    ["edema", ["79654002", ABNORMAL]],
    ["COVID-19 infection", ["47351003", ABNORMAL, "in 39607008", "fallback"]],
  ])("%s", (prompt, codes) => {
    expect(codesOf(prompt)).toEqual(codes);
  });
});

describe("sentences as the model was trained on are understood", () => {
  test.each([
    ["CT imaging of the spleen within the abdomen", "78961009"],
    ["Visualization of the liver in abdominal CT imaging", "10200004"],
    ["gallbladder in abdomen MRI", "28231008"],
  ])("%s", (prompt, value) => {
    expect(codesOf(prompt)).toEqual([value, STRUCTURE]);
  });
});

describe("what no code fits", () => {
  test.each(["", "blabla", "&&&", "x".repeat(10_000), "the of a", "spaghetti ".repeat(2000)])(
    "is tissue: %.20s",
    (prompt) => {
      expect(codesOf(prompt)).toEqual(["85756007", TISSUE, "fallback"]);
    },
  );

  test("is never called the organ that it is near to, which becomes its region", () => {
    expect(codesOf("fluid around the heart")).toEqual(["85756007", TISSUE, "in 80891009", "fallback"]);
  });
});

test("the caller's own code wins, and the words still give side and region", () => {
  const own = { value: "64033007", scheme: "SCT", meaning: "Kidney" };
  const codes = codesForPrompt("the thing on the left", own);
  expect(codes).toMatchObject({ type: own, category: { meaning: STRUCTURE }, confidence: "caller" });
  const unknown = { value: "1", scheme: "99LOCAL", meaning: "Local" };
  expect(codesForPrompt("liver tumor", unknown)).toMatchObject({
    type: unknown,
    category: { meaning: ABNORMAL },
    anatomicRegion: { value: "10200004" },
  });
});

test("every code that a prompt can get is in DICOM's context groups, with the same meaning", () => {
  const known = new Set(table.groups.flatMap(({ codes }) => codes.map((code) => code.join("|"))));
  const prompts = "skull,left kidney,liver tumor,metal,airway tree,LLL,stroke,ventral dc,covid-19,GTVp,nonsense".split(
    ",",
  );
  for (const prompt of prompts) {
    const { category, type, typeModifier, anatomicRegion } = codesForPrompt(prompt);
    for (const code of [category, type, typeModifier, anatomicRegion]) {
      if (code) expect(known).toContain([code.value, code.scheme, code.meaning].join("|"));
    }
  }
});

test("the table's own words find their own code", () => {
  const groups = table.groups.filter(({ cid }) => cid === 7191 || cid === 7193 || cid === 7194);
  for (const { codes } of groups) {
    for (const [value, , meaning] of codes as [string, string, string][]) {
      if (["Backrest", "Cardiac pacemaker", "Cardiac Pacemaker"].includes(meaning)) continue; // two codes of one name
      expect(codesForPrompt(meaning).type.value, meaning).toBe(value);
    }
  }
});
