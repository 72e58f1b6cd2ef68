/** One value of an element; which kind it is follows from the element's VR. */
export type Value = string | number | DataSet | Uint8Array;

/**
 * A DICOM data set: the values of each element, always as a list (an element without a value is an empty list).
 *
 * Keys are PS3.6 keywords; private and unknown tags are 8 upper-case hex digits ("00291010"). IS, DS and the binary
 * numbers are numbers (NaN where the file's text is not one), AT is 8 hex digits, text is decoded by the character set
 * and trimmed, PN is the whole string with its "=" and "^", a sequence is a list of data sets, and OB, OW, UN and the
 * like are one Uint8Array, a view on the file's bytes in little-endian order.
 */
export interface DataSet {
  readonly [keywordOrTag: string]: readonly Value[];
}

/** The first value of a text element, or undefined where it is absent, empty or not text. */
export function firstText(dataSet: DataSet, keyword: string): string | undefined {
  const value = dataSet[keyword]?.[0];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The first value of a numeric element, or undefined where it is absent, empty or not a number. */
export function firstNumber(dataSet: DataSet, keyword: string): number | undefined {
  const value = dataSet[keyword]?.[0];
  return typeof value === "number" && !Number.isNaN(value) ? value : undefined;
}

/** All text values of an element. */
export function texts(dataSet: DataSet, keyword: string): readonly string[] {
  return (dataSet[keyword] ?? []).filter((value) => typeof value === "string");
}

/** All numeric values of an element. */
export function numbers(dataSet: DataSet, keyword: string): readonly number[] {
  return (dataSet[keyword] ?? []).filter((value) => typeof value === "number");
}

/** The items of a sequence; none where it is absent or empty. */
export function items(dataSet: DataSet, keyword: string): readonly DataSet[] {
  return (dataSet[keyword] ?? []).filter(isDataSet);
}

export function isDataSet(value: Value): value is DataSet {
  return typeof value === "object" && !(value instanceof Uint8Array);
}
