import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNifti } from "#converters/nifti/index.ts";
import { type InstalledLabels, type ModelStore, openModelStore } from "#models/index.ts";
import { createLabelsModel, type EngineModel } from "#server/engines/index.ts";
import { weightsPath } from "../fixtures/shared-data.ts";
import { dice, overlap, wholeMasks } from "../fixtures/whole-masks.ts";

const templates = "/usr/share/mricron/templates";
const weights = weightsPath("brainchop", "model30chan18cls");

const networks = [
  {
    name: "brain-t1",
    needs: [weights],
    install: async (store: ModelStore) => store.pull("brain-t1", { from: weights }),
    // Measured .817, .783, .723, .658 and .881.
    dice: { thalamus: 0.78, putamen: 0.74, caudate: 0.68, hippocampus: 0.62, cerebellum: 0.84 },
  },
  {
    name: "brain-t1-unet",
    needs: [],
    install: async (store: ModelStore) => (await store.ensureBuiltIn()).brainT1,
    // Training saw this head: within 0.03 of what is measured for brain-t1.
    dice: { thalamus: 0.787, putamen: 0.753, caudate: 0.69, hippocampus: 0.628, cerebellum: 0.851 },
  },
] as const;

/** The atlas' outlines differ from the network's, and lie some 2 mm off the head that they come with: hence the low bars. */
const atlasNames = {
  thalamus: /^Thalamus_/,
  putamen: /^Putamen_/,
  caudate: /^Caudate_/,
  hippocampus: /^Hippocampus_/,
  cerebellum: /^(Cerebelum|Vermis)_/,
} as const;
type Structure = keyof typeof atlasNames;
const names = Object.keys(atlasNames) as Structure[];
const paired = names.filter((name) => name !== "cerebellum");

describe.for(networks)("$name on the ch2 head, against the AAL atlas drawn on it", (network) => {
  const missing = [join(templates, "ch2.nii.gz"), ...network.needs].filter((path) => !existsSync(path));
  if (missing.length > 0) {
    const how = `${missing.join(" and ")} (apt-get install mricron-data has the head)`;
    console.warn(`\n*** SKIPPED: ${network.name} against the AAL atlas needs ${how}. ***\n`);
    test.skip("needs the head, the atlas and the weights");
    return;
  }
  const head = () => readNifti(readFileSync(join(templates, "ch2.nii.gz")), { modality: "MR" });
  let folder: string;
  let model: EngineModel;
  let masks: Map<string, Uint8Array>;
  let atlas: ReturnType<typeof readAtlas>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-brain-"));
    const installed = await network.install(openModelStore(folder));
    model = createLabelsModel(installed as InstalledLabels);
    atlas = readAtlas();
    masks = await segment([...names, ...names.flatMap((name) => [`left ${name}`, `right ${name}`])]);
  }, 300_000);
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const segment = (texts: readonly string[]) => wholeMasks(model, head(), texts);

  test.each(names)("%s lies where the atlas has it", (name) => {
    const agreement = dice(masks.get(name)!, atlas.of(atlasNames[name]));
    console.info(`${network.name} ${name}: Dice ${agreement.toFixed(3)}`);
    expect(agreement).toBeGreaterThanOrEqual(network.dice[name]);
  });

  test.each(paired)("the left %s is on the atlas' left, and next to nothing of it on its right", (name) => {
    for (const [ours, same, other] of [
      ["left", "L", "R"],
      ["right", "R", "L"],
    ] as const) {
      const mask = masks.get(`${ours} ${name}`)!;
      const { source } = atlasNames[name];
      const onSide = (side: string) => atlas.of(new RegExp(`${source}.*${side}$`));
      expect(dice(mask, onSide(same))).toBeGreaterThan(network.dice[name] - 0.07);
      expect(overlap(mask, onSide(other))).toBeLessThan(0.01 * overlap(mask, mask));
    }
  });

  test("left and right are parts of the whole, share nothing, and leave nothing out", () => {
    for (const name of names) {
      const [left, right] = [masks.get(`left ${name}`)!, masks.get(`right ${name}`)!];
      expect(masks.get(name)!.every((inside, n) => inside === left[n]! + right[n]!)).toBe(true);
    }
  });

  test("a second question about the same volume, in other words, finds the same", async () => {
    const again = await segment(["hippocampi", "left amygdala"]);
    expect(again.get("hippocampi")).toEqual(masks.get("hippocampus"));
    expect(again.get("left amygdala")!.includes(1)).toBe(true);
  });
});

function readAtlas() {
  const { voxels } = readNifti(readFileSync(join(templates, "aal.nii.gz")));
  const labels = readFileSync(join(templates, "aal.nii.txt"), "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 2);
  return {
    of(name: RegExp): Uint8Array {
      const values = new Set(labels.filter(([, label]) => name.test(label!)).map(([value]) => Number(value)));
      expect(values.size).toBeGreaterThan(0);
      return Uint8Array.from(voxels, (value) => Number(values.has(value)));
    },
  };
}
