import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IMPLEMENTATION_CLASS_UID } from "#converters/dicom/index.ts";
import { RoutingRule, type RulePredicate } from "#server/contract/index.ts";
import {
  evaluate,
  type LoopGuard,
  madeByUs,
  notAnImage,
  parseRulesFile,
  rulesFileSchema,
  type SeriesFacts,
  storedByUs,
  whyNever,
} from "#server/routing/index.ts";

const chestCt: SeriesFacts = {
  series: { studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.4" },
  modality: "CT",
  sliceCount: 300,
  instances: "abc",
  implementationClassUid: "1.2.276.0.7230010.3.0.3.6.7",
  sendingAe: "CT01",
  calledAe: "ARCHIVE",
  tags: new Map([
    ["Modality", ["CT"]],
    ["BodyPartExamined", ["CHEST"]],
    ["SeriesDescription", ["Thorax 1.0  B31f"]],
    ["SliceThickness", ["1.25"]],
    ["ImageType", ["ORIGINAL", "PRIMARY", "AXIAL"]],
    ["Manufacturer", ["SIEMENS"]],
    ["PatientName", ["DOE^JANE"]],
    ["KVP", ["120"]],
  ]),
};

function withTags(tags: Readonly<Record<string, readonly string[]>>): SeriesFacts {
  return { ...chestCt, tags: new Map([...chestCt.tags, ...Object.entries(tags)]) };
}

function fits(when: RulePredicate, facts = chestCt): boolean {
  return evaluate({ when, derived: false }, facts).matches;
}

function reasons(when: RulePredicate, facts = chestCt): readonly string[] {
  const verdict = evaluate({ when, derived: false }, facts);
  return verdict.matches ? [] : verdict.because;
}

describe("a condition", () => {
  test("equals: text without regard to case and surrounding space, numbers as numbers, one of several", () => {
    expect(fits({ tag: "BodyPartExamined", equals: " chest" })).toBe(true);
    expect(fits({ tag: "BodyPartExamined", equals: "CHEST2" })).toBe(false);
    expect(fits({ tag: "KVP", equals: 120.0 })).toBe(true);
    expect(fits({ tag: "KVP", equals: ["80", "120"] })).toBe(true);
    expect(fits({ tag: "KVP", equals: [80, 100] })).toBe(false);
  });

  test("contains: a piece of the text", () => {
    expect(fits({ tag: "SeriesDescription", contains: "thorax" })).toBe(true);
    expect(fits({ tag: "SeriesDescription", contains: "abdomen" })).toBe(false);
  });

  test("matches: a regular expression, anywhere, with regard to case unless it says otherwise", () => {
    expect(fits({ tag: "SeriesDescription", matches: "B[0-9]{2}f$" })).toBe(true);
    expect(fits({ tag: "SeriesDescription", matches: "^thorax" })).toBe(false);
    expect(fits({ tag: "SeriesDescription", matches: "(?i)^thorax" })).toBe(true);
  });

  test("min and max: both ends belong to it; what is no number does not", () => {
    expect(fits({ tag: "SliceThickness", max: 1.25 })).toBe(true);
    expect(fits({ tag: "SliceThickness", min: 1.25, max: 3 })).toBe(true);
    expect(fits({ tag: "SliceThickness", min: 1.26 })).toBe(false);
    expect(fits({ tag: "BodyPartExamined", min: 0 })).toBe(false);
    expect(fits({ tag: "SliceThickness", min: 0 }, withTags({ SliceThickness: [""] }))).toBe(false);
  });

  test("of several values, one has to fit", () => {
    expect(fits({ tag: "ImageType", equals: "axial" })).toBe(true);
    expect(fits({ tag: "ImageType", equals: "LOCALIZER" })).toBe(false);
  });

  test("an absent attribute fits nothing but exists: false", () => {
    for (const question of [{ equals: "" }, { contains: "a" }, { matches: "" }, { min: 0 }, { exists: true }])
      expect(fits({ tag: "ContrastBolusAgent", ...question } as RulePredicate)).toBe(false);
    expect(fits({ tag: "ContrastBolusAgent", exists: false })).toBe(true);
    expect(fits({ tag: "KVP", exists: true })).toBe(true);
  });

  test("slice count, slice spacing and AE titles can be asked like attributes", () => {
    expect(fits({ tag: "SliceCount", min: 300, max: 300 })).toBe(true);
    expect(fits({ tag: "SliceSpacing", max: 1.25 })).toBe(true);
    expect(fits({ tag: "SliceSpacing", max: 1 }, withTags({ SpacingBetweenSlices: ["0.7"] }))).toBe(true);
    expect(fits({ tag: "SendingAE", equals: "CT01" })).toBe(true);
    expect(fits({ tag: "CalledAE", equals: "CT01" })).toBe(false);
  });
});

describe("all, any, not", () => {
  const leaf: fc.Arbitrary<RulePredicate> = fc.boolean().map((exists) => ({ tag: "KVP", exists }));
  const predicate = fc.letrec<{ node: RulePredicate }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("node"), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
      fc.array(tie("node"), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
      tie("node").map((not) => ({ not })),
    ),
  })).node;

  function truth(node: RulePredicate): boolean {
    if ("all" in node) return node.all.every(truth);
    if ("any" in node) return node.any.some(truth);
    if ("not" in node) return !truth(node.not);
    return "exists" in node && node.exists;
  }

  test("are the logic that they are called", () => {
    fc.assert(
      fc.property(predicate, (when) => {
        expect(fits(when)).toBe(truth(when));
      }),
    );
  });

  test("say why not: every condition of all, the choices of any, what not excludes", () => {
    const chest: RulePredicate = { tag: "BodyPartExamined", equals: "CHEST" };
    const thin: RulePredicate = { tag: "SliceCount", min: 301 };
    const soft: RulePredicate = { tag: "SeriesDescription", contains: "soft" };
    expect(reasons({ all: [chest, thin, soft] })).toEqual([
      'SliceCount is "300", not at least 301',
      'SeriesDescription is "Thorax 1.0  B31f", not with "soft" in it',
    ]);
    expect(reasons({ any: [thin, soft] })).toEqual([
      'none of these: SliceCount is "300", not at least 301; SeriesDescription is "Thorax 1.0  B31f", not with "soft" in it',
    ]);
    expect(reasons({ not: chest })).toEqual(['excluded: BodyPartExamined is "CHEST"']);
    expect(reasons({ tag: "ContrastBolusAgent", contains: "x" })).toEqual([
      'ContrastBolusAgent is absent, not with "x" in it',
    ]);
  });

  test("and do not repeat what is about the person", () => {
    expect(reasons({ tag: "PatientName", equals: "TEST" }).join()).not.toContain("DOE");
  });
});

describe("a rule's regular expression", () => {
  test("takes time in proportion to the text, whatever it is", () => {
    const slow = withTags({ SeriesDescription: ["a".repeat(100_000)] });
    const start = performance.now();
    expect(fits({ tag: "SeriesDescription", matches: "(a+)+(a|aa)+$b" }, slow)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("is refused where it needs look-around or back references", () => {
    for (const matches of ["(?=a)a", "(a)\\1", "("])
      expect(() => parseRulesFile(JSON.stringify(rule({ when: { tag: "KVP", matches } })))).toThrow("RE2");
  });
});

function rule(more: Readonly<Record<string, unknown>> = {}) {
  return { id: "chest-ct", when: { tag: "Modality", equals: "CT" }, ask: { prompts: ["lung"] }, ...more };
}

describe("results never start jobs: each guard holds alone", () => {
  const guard: LoopGuard = { modalities: ["CT", "MR", "PT"], isOurs: async () => false };

  test("an ordinary series passes all of them", async () => {
    expect(await whyNever(chestCt, guard)).toBeUndefined();
    expect(evaluate(RoutingRule.parse(rule()), chestCt)).toEqual({ matches: true });
  });

  test("modalities that are not listed are not routed, whatever else is true", async () => {
    for (const modality of ["SEG", "SR", "RTSTRUCT", "SC", "OT", "KO", "PR", "REG", "DOC", ""]) {
      const result = { ...chestCt, modality };
      expect(notAnImage(result, guard)).toContain("not routed");
      expect(madeByUs(result)).toBeUndefined();
      expect(await whyNever(result, guard)).toContain("not routed");
    }
  });

  test("our own manufacturer, or our own implementation, is not routed, even as CT", async () => {
    const byManufacturer = withTags({ Manufacturer: ["Parse3D"] });
    const byImplementation = { ...chestCt, implementationClassUid: IMPLEMENTATION_CLASS_UID };
    for (const facts of [byManufacturer, byImplementation]) {
      expect(notAnImage(facts, guard)).toBeUndefined();
      expect(madeByUs(facts)).toMatch(/this program/);
      expect(await whyNever(facts, guard)).toMatch(/this program/);
    }
  });

  test("what this program stored is not routed, even if nothing in it tells", async () => {
    const mine: LoopGuard = { ...guard, isOurs: async (uid) => uid === "1.2.3.4" };
    expect(await storedByUs(chestCt, mine)).toBe("this program stored it");
    expect(await whyNever(chestCt, mine)).toBe("this program stored it");
    expect(
      await whyNever({ ...chestCt, series: { ...chestCt.series, seriesInstanceUid: "1.2.9" } }, mine),
    ).toBeUndefined();
  });

  test("derived images are routed only by a rule that says so", () => {
    const derived = withTags({ ImageType: ["DERIVED", "SECONDARY", "MPR"] });
    expect(evaluate(RoutingRule.parse(rule()), derived)).toMatchObject({
      matches: false,
      because: [expect.stringContaining("DERIVED")],
    });
    expect(evaluate(RoutingRule.parse(rule({ derived: true })), derived)).toEqual({ matches: true });
  });
});

describe("a rules file", () => {
  test("is described by docs/rules.schema.json (node bin/write-rules-schema.ts writes it)", () => {
    const file = new URL("../../docs/rules.schema.json", import.meta.url);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(JSON.parse(JSON.stringify(rulesFileSchema())));
  });

  test("in docs/routing.md is one that can be used", () => {
    const page = readFileSync(new URL("../../docs/routing.md", import.meta.url), "utf8");
    const [, example = ""] = /```yaml\n([^`]*)```/.exec(page) ?? [];
    const [documented] = parseRulesFile(example);
    expect(evaluate(documented!, chestCt)).toEqual({ matches: true });
  });

  test("is YAML with one rule or several, defaults filled in", () => {
    const [first, second] = parseRulesFile(`
rules:
  - id: chest-ct
    description: Lungs of every thin chest CT
    when:
      all:
        - { tag: Modality, equals: CT }
        - { tag: SliceSpacing, max: 2.5 }
        - not: { tag: SeriesDescription, matches: "(?i)scout|topogram" }
    ask:
      prompts: [lung, { text: liver }]
  - id: head-mr
    enabled: false
    when: { tag: Modality, equals: MR }
    ask: { prompts: [brain], model: brain-t1, merge: overlapping }
    settleSeconds: 60
    priority: batch
`);
    expect(first).toMatchObject({
      id: "chest-ct",
      enabled: true,
      settleSeconds: 0,
      priority: "routed",
      derived: false,
    });
    expect(first?.ask).toMatchObject({ prompts: ["lung", { text: "liver" }], draws: 1, recognise: false });
    expect(second).toMatchObject({ enabled: false, settleSeconds: 60, priority: "batch" });
    expect(parseRulesFile(JSON.stringify(rule()))).toHaveLength(1);
  });

  test.each([
    ["an unknown attribute", rule({ when: { tag: "BodyPart", equals: "CHEST" } }), "BodyPart is no attribute of DICOM"],
    ["an unknown field", rule({ colour: "red" }), "colour"],
    ["no prompt", rule({ ask: { prompts: [] } }), "prompt"],
    ["an empty prompt", rule({ ask: { prompts: [" "] } }), "empty"],
    ["a condition that asks nothing", rule({ when: { tag: "KVP" } }), "when: needs all, any, not, or a tag"],
    ["a range that nothing is in", rule({ when: { tag: "KVP", min: 2, max: 1 } }), "min 2 is above max 1"],
    ["an id with spaces", rule({ id: "chest ct" }), "not a rule's id"],
    ["two rules of one name", { rules: [rule(), rule()] }, "Two rules are called chest-ct"],
    ["nothing", null, "the file"],
  ])("with %s is refused, by name", (_what, document, complaint) => {
    expect(() => parseRulesFile(JSON.stringify(document))).toThrow(complaint);
  });

  test("that is nested without end, or grows by aliases, is refused at once", () => {
    let when: unknown = { tag: "KVP", exists: true };
    for (let n = 0; n < 20_000; n++) when = { not: when };
    expect(RoutingRule.safeParse(rule({ when })).error?.issues[0]?.message).toMatch(/nested deeper/);
    expect(() => parseRulesFile("a: &a [1]\nb: [*a, *a]")).toThrow("aliases");
    expect(() => parseRulesFile("a: [")).toThrow("not YAML");
  });
});
