import { RE2JS } from "re2js";
import { InvalidRequestError } from "#server/domain/index.ts";

export interface Pattern {
  /** Whether it is found anywhere in the text, in time linear in its length. */
  test(text: string): boolean;
}

/** A value of a DICOM attribute that is longer is cut: no rule needs more. */
const LONGEST = 10_240;

/** A regular expression that no text can make slow (RE2 syntax: no look-around, no back references). @throws InvalidRequestError */
export function compilePattern(source: string): Pattern {
  const pattern = compile(source);
  return { test: (text) => pattern.matcher(text.slice(0, LONGEST)).find() };
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    throw new InvalidRequestError(
      `The regular expression ${JSON.stringify(source)} cannot be used: rules take RE2 syntax, without look-around and back references.`,
      { cause },
    );
  }
}
