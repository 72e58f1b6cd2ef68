import { type DataSet, isDataSet, type Value } from "./data-set.ts";

/*
 * What a module's schema is made of. They are a few functions of our own, for they read four modules of every instance, and
 * for a schema library takes longer to load than a series to convert.
 */

/** Reads one attribute out of its values; undefined values where the data set has none. */
export type Attribute<T> = (values: readonly Value[] | undefined) => T | typeof INVALID;

const INVALID = Symbol("not what the attribute has to be");

type Shape = Readonly<Record<string, Attribute<unknown>>>;
type ValueOf<A> = A extends Attribute<infer T> ? T : never;
type OptionalKey<S> = { [K in keyof S]: undefined extends ValueOf<S[K]> ? K : never }[keyof S];
type Attributes<S> = { [K in Exclude<keyof S, OptionalKey<S>>]: ValueOf<S[K]> } & {
  [K in OptionalKey<S>]?: ValueOf<S[K]> | undefined;
};

/** A module of PS3.3: its attributes by keyword. */
export interface Module<T> {
  /** @throws RangeError that names the attributes which are absent or malformed */
  parse(dataSet: DataSet): T;
  safeParse(
    dataSet: DataSet,
  ): { readonly success: true; readonly data: T } | { readonly success: false; readonly attributes: readonly string[] };
}

/** What a module holds. */
export type ModuleOf<M> = M extends Module<infer T> ? { [K in keyof T]: T[K] } : never;

export function moduleOf<S extends Shape>(shape: S): Module<Attributes<S>> {
  const attributes = Object.entries(shape);
  const safeParse: Module<Attributes<S>>["safeParse"] = (dataSet) => {
    const data: Record<string, unknown> = {};
    const malformed: string[] = [];
    for (const [keyword, read] of attributes) {
      const value = read(dataSet[keyword]);
      if (value === INVALID) malformed.push(keyword);
      else if (value !== undefined) data[keyword] = value;
    }
    return malformed.length > 0
      ? { success: false, attributes: malformed }
      : { success: true, data: data as Attributes<S> };
  };
  return {
    safeParse,
    parse(dataSet) {
      const parsed = safeParse(dataSet);
      if (parsed.success) return parsed.data;
      throw new RangeError(`the data set lacks a valid ${parsed.attributes.join(", ")}`);
    },
  };
}

const first = (values: readonly Value[] | undefined): Value | undefined =>
  values?.[0] === "" ? undefined : values?.[0];

/** The first value; none where that is not text. */
export const text: Attribute<string | undefined> = (values) => {
  const value = first(values);
  return typeof value === "string" ? value : undefined;
};

export const textList: Attribute<readonly string[] | undefined> = (values) =>
  values !== undefined && values.length > 0 && values.every((value) => typeof value === "string") ? values : undefined;

/** The first value; none where that is not a finite number. */
export const number: Attribute<number | undefined> = (values) => {
  const value = first(values);
  return isNumber(value) ? value : undefined;
};

export const sequence: Attribute<readonly DataSet[] | undefined> = (values) =>
  values !== undefined && values.length > 0 && values.every(isDataSet) ? values : undefined;

export const requiredText: Attribute<string> = (values) => {
  const value = first(values);
  return typeof value === "string" ? value : INVALID;
};

/** A whole number, 0 or more. */
export const requiredCount: Attribute<number> = (values) => {
  const value = first(values);
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : INVALID;
};

/** Absent, or a finite number. */
export const optionalNumber: Attribute<number | undefined> = (values) => {
  const value = first(values);
  return value === undefined || isNumber(value) ? value : INVALID;
};

/** As many finite numbers. */
export const vector =
  (length: number): Attribute<readonly number[]> =>
  (values) =>
    values?.length === length && values.every(isNumber) ? values : INVALID;

function isNumber(value: Value | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
