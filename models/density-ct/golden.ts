import type { ClipTokenizer } from "../clip/clip-tokenizer.ts";
import type { GoldenSample } from "../contract.ts";
import { DENSITY_RULES, existenceLogit, levelsOf, maskLogit } from "./rules.ts";

/** Four rows of eight grey levels, from air to metal, with both sides of most borders among them. */
const BLOCKS = [
  [0, 5, 6, 20, 38, 39, 54, 55],
  [61, 62, 66, 71, 72, 77, 78, 120],
  [160, 219, 220, 240, 255, 0, 66, 66],
  [0, 0, 10, 30, 58, 58, 64, 100],
] as const;

const PROMPTS: readonly (readonly [prompt: string, rule: string | undefined])[] = [
  ["CT imaging of the skull within the head", "bone"],
  ["soft tissue", "soft tissue"],
  ["metal", "metal"],
  ["left kidney", undefined],
];

/** A question whose answer follows from the rules by arithmetic, not from running the graphs. */
export function goldenSample(tokenizer: ClipTokenizer, imageSize: number): GoldenSample {
  const [height, width] = [imageSize / BLOCKS.length, imageSize / BLOCKS[0].length];
  const ruleOf = (name: string | undefined) => DENSITY_RULES.find((rule) => rule.name === name);
  const cells = BLOCKS.flatMap((row, r) => row.map((grey, c) => ({ grey, r, c })));
  return {
    prompts: PROMPTS.map(([prompt]) => prompt),
    inputIds: PROMPTS.map(([prompt]) => tokenizer.encode(prompt)),
    blocks: BLOCKS,
    existenceLogits: PROMPTS.map(([, name]) => {
      const rule = ruleOf(name);
      if (rule === undefined) return existenceLogit(0);
      const { lowest, highest } = levelsOf(rule);
      return existenceLogit(cells.filter(({ grey }) => grey >= lowest && grey <= highest).length * height * width);
    }),
    maskLogits: PROMPTS.flatMap(([, name], prompt) =>
      cells.map(({ grey, r, c }) => ({
        prompt,
        row: (r + 0.5) * height,
        column: (c + 0.5) * width,
        logit: maskLogit(grey, ruleOf(name)),
      })),
    ),
    tolerance: 1e-3,
  };
}
