/** Letters of 5 by 7 pixels: seven rows, one base-32 digit each, whose highest bit is the leftmost pixel. */
const glyphs: Readonly<Record<string, string>> = {
  A: "ehhvhhh",
  B: "uhhuhhu",
  C: "ehggghe",
  D: "uhhhhhu",
  E: "vgguggv",
  F: "vgguggg",
  G: "ehgnhhf",
  H: "hhhvhhh",
  I: "e44444e",
  J: "72222ic",
  K: "hikokih",
  L: "ggggggv",
  M: "hrllhhh",
  N: "hpljhhh",
  O: "ehhhhhe",
  P: "uhhuggg",
  Q: "ehhhlid",
  R: "uhhukih",
  S: "fgge11u",
  T: "v444444",
  U: "hhhhhhe",
  V: "hhhhha4",
  W: "hhhllrh",
  X: "hha4ahh",
  Y: "hha4444",
  Z: "v1248gv",
  "0": "ehjlphe",
  "1": "4c4444e",
  "2": "eh168gv",
  "3": "u11e11u",
  "4": "26aiv22",
  "5": "vgu11he",
  "6": "egguhhe",
  "7": "v124888",
  "8": "ehhehhe",
  "9": "ehhf11e",
  "-": "000e000",
  ".": "00000cc",
  ",": "0000c48",
  "/": "11248gg",
  "(": "2488842",
  ")": "8422248",
  " ": "0000000",
};
const unknownGlyph = "eh12404";

const advance = 6;
export const textHeight = 7;

/** Width of a line in pixels at scale 1. */
export function textWidth(text: string): number {
  return text.length * advance - 1;
}

/** Calls `paint` for each pixel of a line of capitals at scale 1, from its upper left corner. */
export function drawText(text: string, paint: (x: number, y: number) => void): void {
  [...text.toUpperCase()].forEach((character, position) => {
    [...(glyphs[character] ?? unknownGlyph)].forEach((digit, y) => {
      const row = Number.parseInt(digit, 32);
      for (let x = 0; x < 5; x++) if ((row >> (4 - x)) & 1) paint(position * advance + x, y);
    });
  });
}
