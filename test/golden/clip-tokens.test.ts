import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { createClipTokenizer } from "../../models/index.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

describeWithData("prompts tokenised by open_clip 3.3.0 (Python)", () => {
  const Lines = z.array(z.object({ text: z.string(), ids: z.array(z.int()) }));
  const lines = Lines.parse(JSON.parse(readFileSync(dataPath("boltzformer_golden", "clip_tokens.json"), "utf8")));
  const tokenizer = createClipTokenizer();

  test("there are 212 of them", () => {
    expect(lines).toHaveLength(212);
  });

  test.each(lines.map(({ text, ids }) => [text.slice(0, 60), text, ids] as const))(
    "%j has the same ids",
    (_, text, ids) => {
      expect(tokenizer.encode(text)).toEqual(ids);
    },
  );
});
