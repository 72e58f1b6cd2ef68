import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";

/** Text of a code sequence item: printable, without the backslash that separates values (PS3.5 section 6.2). */
const codeText = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\\\p{Cc}]+$/u);

/** A coded term (PS3.3 section 8.8). */
export const CodedConcept = z.strictObject({
  value: codeText(16).describe("Code Value (0008,0100)"),
  scheme: codeText(16).describe("Coding Scheme Designator (0008,0102), like SCT"),
  meaning: codeText(64).describe("Code Meaning (0008,0104)"),
});

const text = z
  .string()
  .describe("What to look for, in a few words, like: left kidney")
  .meta({ minLength: 1, maxLength: 300 });

/** What to look for: words, or words with the caller's own coded term for the segment. */
export const PromptInput = z.union([text, z.strictObject({ text, code: CodedConcept.optional() })]);

/** Between 1 and 32 prompts; what is wrong in their words is refused as `invalid-prompt`, with what to ask instead. */
export const PromptInputs = z.array(PromptInput).meta({ minItems: 1, maxItems: 32 });

/** A prompt as it was understood; `id` is "p1", "p2", ... in the order of the request. */
export const PromptView = z.object({ id: z.string(), text: z.string(), code: CodedConcept.optional() });
export type PromptView = DeepReadonly<z.infer<typeof PromptView>>;

export const MergeMode = z
  .enum(["exclusive", "overlapping"])
  .describe("exclusive: a voxel belongs to one prompt at most; overlapping: each prompt by itself");

export const ModelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "not a model's name: letters, digits, dots, hyphens and underscores")
  .describe("An installed model's name; left out: the best for the modality and the prompts");
