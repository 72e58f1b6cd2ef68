import { decode } from "html-entities";

/**
 * Text as CLIP was trained on it: the repairs of Python's ftfy that prompts need (composed letters, straight quotes,
 * plain ligatures and widths, no control characters; not its guesses at mis-decoded text), HTML entities read twice,
 * white space collapsed, lower case.
 */
export function cleanText(text: string): string {
  const repaired = text
    .replace(/[ﬀ-ﬆĲĳŉǄ-ǌǱ-ǳ！-～ￂ-￮]/gu, (letter) => letter.normalize("NFKC"))
    .replace(/[\u02bc\u2018-\u201b]/gu, "'")
    .replace(/[\u201c-\u201f]/gu, '"')
    .replace(CONTROL_CHARACTERS, "")
    .normalize("NFC");
  return decode(decode(repaired)).replace(/\s+/gu, " ").trim().toLowerCase();
}

const CONTROL_CHARACTERS = /[^\P{Cc}\t\n\f\r]|[\u{206a}-\u{206f}\ufeff\u{fff9}-\u{fffb}]/gu;
