/** The little of dcmjs that is used here; the package ships no types. */
declare module "dcmjs" {
  interface DictionaryEntry {
    /** As "(0010,0020)". */
    readonly tag: string;
    /** A PS3.6 VR, or "ox", "xs", "lt", "up", "na" where PS3.6 leaves a choice. */
    readonly vr: string;
    readonly vm: string;
    /** The PS3.6 keyword; "RETIRED_" stands before some retired ones. */
    readonly name: string;
  }

  /** A value of `naturalizeDataset`: one, or a list where the element had several. */
  interface NaturalDataSet {
    readonly [keyword: string]: unknown;
  }

  const data: {
    readonly DicomMetaDictionary: {
      readonly nameMap: Readonly<Record<string, DictionaryEntry>>;
      naturalizeDataset(dict: object): NaturalDataSet;
    };
    readonly DicomMessage: {
      readFile(file: ArrayBuffer): { readonly dict: object };
    };
  };

  const log: { setLevel(level: "error" | "silent"): void };
}
