import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mergeBytes } from "../../models/clip/merge-bytes.ts";
import { mergeKey, openAiVocabulary } from "../../models/clip/vocabulary.ts";
import { createClipTokenizer, huggingFaceVocabulary, ModelBundleError } from "../../models/index.ts";

const tokenizer = createClipTokenizer();

test("start is 49406, end is 49407, and there are 49408 tokens", () => {
  expect(tokenizer.encode("")).toEqual([49406, 49407]);
  expect(tokenizer.vocabularySize).toBe(49408);
});

// Ids by open_clip 3.3.0 (Python) with ftfy 6.3.
test.each([
  ["left&nbsp;kidney &amp;amp; liver", [1823, 14610, 261, 12639]],
  ["the patient’s “liver”", [518, 6262, 568, 257, 12639, 257]],
  ["ﬁbrosis", [36307]],
  ["Ｌｉｖｅｒ", [12639]],
  ["e\u0301dema", [3459, 45046]],
  ["a\u0007b", [3937]],
  ["a\u2028b", [320, 321]],
  ["<b>bold</b> &lt;x&gt;", [283, 321, 285, 8911, 34308, 321, 285, 283, 343, 285]],
  ["&notin; x", [17788, 487, 343]],
  ["'Ve 'LL", [1200, 1342]],
  ["²³½ ⅷ", [41175, 126, 367, 33613, 158, 227, 371]],
  ["👩‍⚕️ doctor", [26304, 2234, 44853, 5547]],
  ["ΣΊΣΥΦΟΣ", [139, 225, 138, 107, 139, 225, 139, 227, 139, 228, 138, 123, 139, 480]],
])("%j has the ids that Python gives it", (text, ids) => {
  expect(tokenizer.encode(text)).toEqual([49406, ...ids, 49407]);
});

test("the names of special tokens are plain text in a prompt", () => {
  const ids = tokenizer.encode("<|endoftext|> liver <|startoftext|>");
  expect(ids.slice(1, -1).some((id) => id >= 49406)).toBe(false);
});

test("what is too long is cut with the end token last, and counted in full", () => {
  const text = "liver ".repeat(200);
  expect(tokenizer.encode(text)).toEqual([49406, ...new Array<number>(75).fill(12639), 49407]);
  expect(tokenizer.countTokens(text)).toBe(202);
  expect(createClipTokenizer({ contextLength: 5 }).encode(text)).toEqual([49406, 12639, 12639, 12639, 49407]);
});

describe("merging bytes", () => {
  const vocabulary = openAiVocabulary();

  /** CLIP's published procedure, as slow as it reads. */
  function mergeByTheBook(word: Uint8Array): readonly number[] {
    let symbols = [...word].map((byte, n) =>
      n === word.length - 1 ? vocabulary.finalByteIds[byte]! : vocabulary.byteIds[byte]!,
    );
    for (;;) {
      const pairs = symbols.slice(1).map((right, n) => vocabulary.merges.get(mergeKey(symbols[n]!, right)));
      const first = pairs.filter((pair) => pair !== undefined).sort((a, b) => a.rank - b.rank)[0];
      if (first === undefined) return symbols;
      const merged: number[] = [];
      for (let n = 0; n < symbols.length; n++) {
        const isPair = pairs[n]?.rank === first.rank;
        merged.push(isPair ? first.id : symbols[n]!);
        if (isPair) n++;
      }
      symbols = merged;
    }
  }

  const letters = fc.oneof(
    fc.string({ unit: fc.constantFrom(..."aeinorst"), minLength: 1, maxLength: 80 }),
    fc.string({ unit: fc.constantFrom(..."ax"), minLength: 1, maxLength: 80 }),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  );

  test("gives what CLIP's own procedure gives, on any word", () => {
    fc.assert(
      fc.property(letters, (word) => {
        const bytes = new TextEncoder().encode(word);
        expect(mergeBytes(bytes, vocabulary)).toEqual(mergeByTheBook(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["one letter", "x".repeat(10_000)],
    ["many letters", Array.from({ length: 10_000 }, (_, n) => "etaoinshrdlu"[(n * n + 7 * n) % 12]).join("")],
    ["three bytes each", "左".repeat(10_000)],
  ])("a single word of 10,000 letters (%s) takes no longer than ten of 1,000 by far", (_, word) => {
    const seconds = (text: string) => {
      const start = performance.now();
      createClipTokenizer().countTokens(text);
      return performance.now() - start;
    };
    const short = Array.from({ length: 10 }, (_, n) => word.slice(n, n + 1000)).join(" ");
    const median = (text: string) => [1, 2, 3, 4, 5].map(() => seconds(text)).sort((a, b) => a - b)[2]!;
    expect(median(word)).toBeLessThan(6 * median(short) + 50);
  });
});

describe("a tokenizer.json", () => {
  const letters = Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return { byte, printable };
  });
  const extras = letters.filter(({ printable }) => !printable).map(({ byte }) => byte);
  const alphabet = letters.map(({ byte, printable }) =>
    String.fromCharCode(printable ? byte : 0x100 + extras.indexOf(byte)),
  );
  const tokens = [
    ...alphabet,
    ...alphabet.map((letter) => `${letter}</w>`),
    "li",
    "li ver</w>",
    "<|startoftext|>",
    "<|endoftext|>",
  ];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const model = { type: "BPE", end_of_word_suffix: "</w>", vocab };

  test.each([
    ["pairs as lists", [["l", "i"]]],
    ["pairs as text", ["l i"]],
  ])("is read with its %s", (_, merges) => {
    const own = createClipTokenizer({ vocabulary: huggingFaceVocabulary({ model: { ...model, merges } }) });
    expect(own.encode("lip")).toEqual([vocab["<|startoftext|>"], vocab.li, vocab["p</w>"], vocab["<|endoftext|>"]]);
  });

  test.each([
    ["of another kind", { model: { type: "WordPiece", vocab: {} } }],
    ["with a merge of unknown tokens", { model: { ...model, merges: ["q q"] } }],
    ["that is a list", []],
  ])("%s is refused", (_, document) => {
    expect(() => huggingFaceVocabulary(document)).toThrow(ModelBundleError);
  });
});
