import { beforeEach, describe, expect, test } from "vitest";
import { createBitVolume } from "#converters/mask/index.ts";
import { type ModelCard, recommendedTargets, regionsOfBodyPart } from "#models/index.ts";
import {
  deterministicUid,
  type Finding,
  InvalidPromptError,
  type Ports,
  promptsFrom,
  type SegmentationModel,
  type SegmentOptions,
  type SegmentRun,
  segmentSeries,
} from "#server/domain/index.ts";
import { byLikelihood, likelyNext, recognisableTargets, recognitionPrompts } from "#server/domain/recognise.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import { registryOf } from "../fixtures/fake-registry.ts";
import { createMemoryArchive, type MemoryArchive } from "../fixtures/memory-archive.ts";
import { type SyntheticCt, syntheticCt } from "../fixtures/synthetic-ct.ts";

const open = { ...createFakeModel().card, vocabulary: "open", targets: [] } as ModelCard;
const target = (name: string) => ({ name, synonyms: [] });
const names = (targets: readonly { readonly name: string }[]) => targets.map(({ name }) => name);

describe("what is asked", () => {
  test("of a closed vocabulary is all of it", () => {
    const card = { ...open, vocabulary: "closed", targets: [target("bone"), target("lung")] } as ModelCard;
    expect(names(recognisableTargets({ modality: "CT", bodyPart: "KNEE" }, card))).toEqual(["bone", "lung"]);
  });

  test("of an open one are the recommended targets of modality and body part; all where the part is unknown", () => {
    const chest = names(recognisableTargets({ modality: "CT", bodyPart: "CHEST" }, open));
    expect(chest).toEqual(expect.arrayContaining(["trachea", "heart", "lung lesion", "vertebra t5"]));
    expect(chest).not.toContain("spleen");
    const both = names(recognisableTargets({ modality: "CT", bodyPart: "CHESTABDPELVIS" }, open));
    expect(both).toEqual(expect.arrayContaining(["trachea", "spleen", "urinary bladder"]));
    const all = names(recommendedTargets("CT"));
    for (const bodyPart of [undefined, "", "WHOLEBODY", "XYZ"])
      expect(names(recognisableTargets({ modality: "CT", bodyPart }, open))).toEqual(all);
    expect(all.length).toBeGreaterThan(100);
  });

  test("of a model that is recommended for some of them only, are those; of a short list all of it", () => {
    const all = names(recommendedTargets("CT"));
    const most = { ...open, targets: [...all.filter((name) => name !== "spleen"), "unicorn"].map(target) };
    const asked = names(recognisableTargets({ modality: "CT" }, most));
    expect(asked).toEqual(all.filter((name) => name !== "spleen"));
    const few = { ...open, targets: [target("bone"), target("spleen")] };
    expect(names(recognisableTargets({ modality: "CT", bodyPart: "HEAD" }, few))).toEqual(["bone", "spleen"]);
  });

  test("what was asked in words comes first, once; nothing to ask is refused", () => {
    const card = { ...open, vocabulary: "closed", targets: [target("bone"), target("lung")] } as ModelCard;
    const asked = promptsFrom([{ text: "Lungs" }, { text: "fat" }]);
    expect(recognitionPrompts(asked, { modality: "CT" }, card)).toEqual([
      { id: "p1", text: "Lungs" },
      { id: "p2", text: "fat" },
      { id: "p3", text: "bone" },
    ]);
    expect(() => recognitionPrompts([], { modality: "XA" }, open)).toThrow(InvalidPromptError);
  });

  test("every body part of the table leads to regions that the vocabulary has", () => {
    const known = new Set(
      ["CT", "MR", "US", "PT", "EM", "LSM"].flatMap(recommendedTargets).map(({ region }) => region),
    );
    for (const part of ["HEAD", "NECK", "CHEST", "HEART", "ABDOMEN", "PELVIS", "LSPINE", "LEG"])
      expect([...regionsOfBodyPart(part)!].filter((region) => !known.has(region))).toEqual([]);
  });
});

test("what is likely to be asked next stands near what was asked, and is never that itself", () => {
  const next = likelyNext(promptsFrom([{ text: "liver" }]), { modality: "CT", bodyPart: "ABDOMEN" }, open);
  expect(new Set(next.slice(0, 2))).toEqual(new Set(["spleen", "gallbladder"]));
  expect(next).not.toContain("liver");
  expect(next).toHaveLength(recognisableTargets({ modality: "CT", bodyPart: "ABDOMEN" }, open).length - 1);
});

test("the best comes first: what is seen before what is not, each by its score", () => {
  const mask = (text: string, score: number | null, isThere: boolean) => {
    const volume = createBitVolume([2, 2, 2]);
    if (isThere) volume.bits[0] = 1;
    return { prompt: { id: text, text }, score, mask: volume };
  };
  const ranked = byLikelihood([
    mask("a", 0.4, false),
    mask("b", 0.6, true),
    mask("c", 0.9, false),
    mask("d", 0.8, true),
  ]);
  expect(ranked.map(({ prompt }) => prompt.text)).toEqual(["d", "b", "c", "a"]);
});

describe("a series is recognised", () => {
  let archive: MemoryArchive;
  let ct: SyntheticCt;
  let stored: number;
  let asked: { readonly prompts: readonly string[]; readonly options: SegmentOptions }[];
  const targets = ["unicorn", "dark", "griffin", "bright"].map(target);

  beforeEach(async () => {
    archive = createMemoryArchive();
    ct = syntheticCt(5, 24);
    for (const instance of ct.instances()) await archive.sink.store(instance, { signal: AbortSignal.timeout(1000) });
    stored = 0;
    asked = [];
  });

  function ports(card: Partial<ModelCard> = { vocabulary: "closed", targets }): Ports {
    const fake = createFakeModel(card);
    const model: SegmentationModel = {
      ...fake,
      segment(volume, prompts, options, run) {
        asked.push({ prompts: prompts.map(({ text }) => text), options });
        return fake.segment(volume, prompts, options, run);
      },
    };
    const store = (...args: Parameters<MemoryArchive["sink"]["store"]>) => {
      stored += 1;
      return archive.sink.store(...args);
    };
    const now = () => new Date("2026-03-04T05:06:07Z");
    return { source: archive.source, sink: { store }, models: registryOf(model), now, newUid: deterministicUid };
  }

  function watched(): SegmentRun & { readonly findings: Finding[] } {
    const findings: Finding[] = [];
    const signal = AbortSignal.timeout(20_000);
    return { signal, findings, progress: () => {}, note: () => {}, finding: (finding) => findings.push(finding) };
  }

  test("everything is asked at once, what is there comes first, and nothing is stored unasked", async () => {
    const run = watched();
    const result = await segmentSeries(ports(), { series: ct.series, prompts: [], recognise: true }, run);
    expect(asked).toEqual([{ prompts: names(targets), options: expect.objectContaining({ merge: "overlapping" }) }]);
    expect(result.findings.map(({ prompt, present }) => [prompt.text, present])).toEqual([
      ["dark", true],
      ["bright", true],
      ["unicorn", false],
      ["griffin", false],
    ]);
    expect(stored).toBe(0);
    expect(result.seg).toBeUndefined();
  });

  test("what is seen is told at once, and its full finding replaces that", async () => {
    const run = watched();
    await segmentSeries(ports(), { series: ct.series, prompts: [], recognise: true }, run);
    const ofDark = run.findings.filter(({ prompt }) => prompt.text === "dark");
    expect(ofDark.map(({ present, voxels }) => [present, voxels > 0])).toEqual([
      [true, false],
      [true, true],
    ]);
    expect(ofDark[0]!.notes).toEqual([expect.stringContaining("still being looked at")]);
  });

  test("the SEG of what is there is stored where it is asked for, its segments in the order of the findings", async () => {
    const request = { series: ct.series, prompts: [], recognise: true, outputs: ["seg"] } as const;
    const result = await segmentSeries(ports(), request, watched());
    expect(stored).toBe(1);
    expect(result.findings.map(({ segmentNumber }) => segmentNumber)).toEqual([1, 2, undefined, undefined]);
  });

  test("more than 32 things are asked of an open vocabulary", async () => {
    await segmentSeries(
      ports({ vocabulary: "open", targets: [] }),
      { series: ct.series, prompts: [], recognise: true },
      watched(),
    );
    expect(asked[0]!.prompts.length).toBeGreaterThan(32);
  });

  test("a plain question names what may come next; none where it says so, and a recognition has asked it all", async () => {
    const prompts = promptsFrom([{ text: "bright" }]);
    const card = {
      vocabulary: "closed",
      targets,
      engine: "bundle",
      algorithmFamily: "artificial-intelligence",
    } as const;
    await segmentSeries(ports(card), { series: ct.series, prompts }, watched());
    await segmentSeries(ports(card), { series: ct.series, prompts, anticipate: 2 }, watched());
    await segmentSeries(ports(card), { series: ct.series, prompts, anticipate: 0 }, watched());
    await segmentSeries(ports(card), { series: ct.series, prompts, recognise: true }, watched());
    const candidates = ["griffin", "dark", "unicorn"];
    expect(asked.map(({ options }) => options.anticipate)).toEqual([
      { candidates },
      { candidates, most: 2 },
      undefined,
      undefined,
    ]);
  });
});
