/** Words that say nothing of what is meant. */
const FILLERS: ReadonlySet<string> = new Set(
  (
    "the of a an and or in on within structure region organ segment segmentation image imaging scan view visualization " +
    "ct mr mri pet ultrasound area whole entire"
  ).split(" "),
);

/** Spellings brought together before words are compared; the right side may be several words. */
const SPELLINGS: Readonly<Record<string, string>> = {
  tumour: "tumor",
  oesophagus: "esophagus",
  oesophageal: "esophageal",
  oedema: "edema",
  haemorrhage: "hemorrhage",
  haematoma: "hematoma",
  grey: "gray",
  brainstem: "brain stem",
  vertebrae: "vertebra",
  testes: "testis",
  femora: "femur",
  humeri: "humerus",
  cochleae: "cochlea",
  thalami: "thalamus",
  hippocampi: "hippocampus",
  bronchi: "bronchus",
  metastases: "metastasis",
  nuclei: "nucleus",
  primaries: "primary",
  "1st": "first",
  "2nd": "second",
  "3rd": "third",
  "4th": "fourth",
};

/**
 * The words of a text that carry meaning: lower case, without accents and punctuation, singular, in one spelling.
 * A text of nothing but fillers keeps them.
 */
export function phraseWords(text: string): readonly string[] {
  const all = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  const telling = all.filter((word) => !FILLERS.has(word));
  return (telling.length > 0 ? telling : all).flatMap((word) => (SPELLINGS[word] ?? singular(word)).split(" "));
}

/** Equal for texts of the same words in any order. */
export function phraseKey(text: string): string {
  return phraseWords(text).toSorted().join(" ");
}

function singular(word: string): string {
  if (word.length <= 3 || !word.endsWith("s") || /(ss|us|is|as|ceps)$/.test(word)) return word;
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(ch|sh|x|z)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}
