import type { CodedConcept } from "#converters/dicom/index.ts";
import { InvalidPromptError } from "./errors.ts";

/** What the user asks for, in words; `id` is unique within its request ("p1", "p2", ...). */
export interface Prompt {
  readonly id: string;
  readonly text: string;
  /** The caller's own term for the segment; wins over the table's. */
  readonly code?: CodedConcept;
}

export const longestPrompt = 300;
export const mostPrompts = 32;

/**
 * Prompts as a model takes them: white space folded, numbered in the order given.
 * @throws InvalidPromptError where there is none, one is empty, too long, unprintable, or asked twice
 */
export function promptsFrom(
  inputs: readonly { readonly text: string; readonly code?: CodedConcept | undefined }[],
): readonly Prompt[] {
  if (inputs.length === 0) throw new InvalidPromptError("No prompt was given. Name at least one thing to look for.");
  if (inputs.length > mostPrompts) {
    throw new InvalidPromptError(`${inputs.length} prompts were given; at most ${mostPrompts} go into one request.`);
  }
  const seen = new Set<string>();
  return inputs.map(({ text, code }, index) => {
    const folded = text.normalize("NFC").replace(/\s+/gu, " ").trim();
    const which = inputs.length === 1 ? "The prompt" : `Prompt ${index + 1}`;
    if (folded === "") throw new InvalidPromptError(`${which} is empty. Name the thing to look for, like "skull".`);
    if (folded.length > longestPrompt) {
      throw new InvalidPromptError(
        `${which} has ${folded.length} characters; at most ${longestPrompt} are taken. Name one thing in a few words.`,
      );
    }
    if (/\p{Cc}/u.test(folded)) throw new InvalidPromptError(`${which} holds control characters. Use plain words.`);
    if (seen.has(folded.toLowerCase())) throw new InvalidPromptError(`${which} repeats an earlier one. Ask once.`);
    seen.add(folded.toLowerCase());
    return { id: `p${index + 1}`, text: folded, ...(code && { code }) };
  });
}
