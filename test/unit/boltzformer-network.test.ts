import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type NetworkConfig, OFFICIAL_CONFIG, parseNetworkConfig } from "#models/boltzformer/network-config.ts";
import { networkTensors } from "#models/boltzformer/network-tensors.ts";
import { describeNetwork } from "#models/boltzformer/network-weights.ts";
import type { WeightsFile } from "#models/boltzformer/weights/weights-file.ts";
import { ModelBundleError } from "#models/index.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

function weightsOf(
  config: NetworkConfig,
  change: (shapes: Map<string, readonly number[]>) => void = () => {},
): WeightsFile {
  const shapes = new Map(networkTensors(config));
  change(shapes);
  const tensors = new Map([...shapes].map(([name, shape]) => [name, { shape, offset: 0 }]));
  return { file: "weights.ckpt", bytes: 0, format: "pytorch", tensors };
}

const small: NetworkConfig = {
  ...OFFICIAL_CONFIG,
  embedDim: 24,
  depths: [1, 1, 2, 1],
  hiddenDim: 64,
  heads: 4,
  ffnDim: 128,
  encoderLayers: 2,
  decoderLayers: 4,
  textLayers: 2,
  textWidth: 64,
  textHeads: 4,
  textVocabulary: 512,
  imageSize: 128,
};
const channelsLast = (shapes: Map<string, readonly number[]>) => {
  for (const [name, [out, input, rows, columns]] of shapes)
    if (columns !== undefined) shapes.set(name, [out!, rows!, columns, input!]);
};

describe("a network's sizes are read from its tensors", () => {
  test.each([
    ["official", OFFICIAL_CONFIG],
    ["small", small],
  ])("%s, in either layout", (_, config) => {
    const { heads, textHeads, imageSize } = config;
    const told = { heads, textHeads, imageSize };
    expect(describeNetwork(weightsOf(config), told)).toMatchObject({ config, layout: "channels-first" });
    expect(describeNetwork(weightsOf(config, channelsLast), told)).toMatchObject({ config, layout: "channels-last" });
  });

  test("what shapes do not tell is as in the official network", () => {
    expect(describeNetwork(weightsOf({ ...small, heads: 8 })).config).toMatchObject({ heads: 8, imageSize: 512 });
  });

  test("the official network has 1,050 tensors", () => {
    expect(networkTensors(OFFICIAL_CONFIG).size).toBe(1050);
  });
});

describeWithData("upstream's own state dict", () => {
  test.each(["small", "full"])("of the %s network has these names and shapes, and no others", (name) => {
    const golden = JSON.parse(readFileSync(dataPath("boltzformer_golden", `${name}.json`), "utf8"));
    const config = { ...OFFICIAL_CONFIG, ...parseNetworkConfig(golden.config) };
    const expected = Object.entries<readonly number[]>(golden.tensors).toSorted(([a], [b]) => (a < b ? -1 : 1));
    expect([...networkTensors(config)].toSorted(([a], [b]) => (a < b ? -1 : 1))).toEqual(expected);
  });
});

describe("weights that are not of such a network end in an error that names the tensor", () => {
  const given = { heads: 4, textHeads: 4, imageSize: 128 };

  test("every tensor is missed", () => {
    for (const name of networkTensors(small).keys()) {
      const without = weightsOf(small, (shapes) => shapes.delete(name));
      expect(() => describeNetwork(without, given), name).toThrow(ModelBundleError);
    }
  });

  test("every shape is checked", () => {
    for (const [name, shape] of networkTensors(small)) {
      const other = weightsOf(small, (shapes) => shapes.set(name, [...shape.slice(0, -1), (shape.at(-1) ?? 6) + 1]));
      expect(() => describeNetwork(other, given), name).toThrow(ModelBundleError);
    }
  });

  test.each<[string, WeightsFile, Partial<NetworkConfig>, RegExp]>([
    ["a tensor too many", weightsOf(small, (shapes) => shapes.set("x", [1])), given, /"x"/],
    ["no tensor at all", weightsOf(small, (shapes) => shapes.clear()), given, /lacks the tensor "backbone/],
    [
      "a stem of another kind",
      weightsOf(small, (s) => s.set("backbone.patch_embed.proj.weight", [24, 3, 4, 4])),
      given,
      /n, 3, 7, 7/,
    ],
    [
      "sizes that the configuration contradicts",
      weightsOf(small),
      { ...given, decoderLayers: 9 },
      /decoderLayers 4, where .* 9/,
    ],
    ["heads that do not divide", weightsOf(small), { ...given, heads: 7 }, /7 heads/],
    ["more edge queries than queries", weightsOf(small), { ...given, edgeQueries: 16 }, /16 queries/],
    ["a size of nothing", weightsOf({ ...small, ffnDim: 0 }), given, /is 0/],
  ])("%s", (_, weights, config, message) => {
    expect(() => describeNetwork(weights, config)).toThrow(ModelBundleError);
    expect(() => describeNetwork(weights, config)).toThrow(message);
  });
});

describe("a configuration", () => {
  test("is upstream's own, and what does not matter at inference is ignored", () => {
    expect(parseNetworkConfig({ embed_dim: 24, image_size: 128, mask_threshold: 1.1 })).toEqual({
      embedDim: 24,
      imageSize: 128,
    });
  });

  test.each([
    null,
    7,
    [],
    { heads: "8" },
    { image_size: 100 },
    { depths: [1, 2] },
    { sample_ratio: 0 },
    { queries: 1e9 },
  ])("%o is none", (document) => {
    expect(() => parseNetworkConfig(document)).toThrow(ModelBundleError);
  });
});
