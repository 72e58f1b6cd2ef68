/** What a JSON value is to be, as short as it can be said: the contract's shapes are a good part of the bundle. */
export type Shape =
  /** A definition's name; or s: string, n: number, i: integer, b: boolean, z: null, "*": anything. */
  | string
  /** An object; names that end in "?" may be missing, and others that are not listed may be there. */
  | { readonly [name: string]: Shape }
  | Compound;

type Compound =
  /** One of these values; one of these shapes. */
  | readonly ["=", readonly unknown[]]
  | readonly ["|", readonly Shape[]]
  /** A string that the expression matches. */
  | readonly ["~", string]
  /** Bounds, both within; without the upper one, none. */
  | readonly ["<", "n" | "i", number, number?]
  /** A list of such; a list that begins so; an object of such. */
  | readonly ["[", Shape]
  | readonly ["(", readonly Shape[]]
  | readonly ["{", Shape];

export type Definitions = Readonly<Record<string, Shape>>;

export interface SchemaCheck {
  /** @throws Error that names the first place that does not fit */
  parse(value: unknown): unknown;
  safeParse(value: unknown): { readonly success: true; readonly data: unknown } | { readonly success: false };
}

/**
 * Checks values as the contract's zod schema does: zod itself would be half of the bundle.
 * Properties that the shape does not know pass: a newer server may send more.
 */
export function schemaCheck(shape: Shape, definitions: Definitions): SchemaCheck {
  return {
    parse: (value) => {
      const misfit = firstMisfit(value, shape, definitions, "");
      if (misfit !== undefined) throw new Error(`unexpected value at ${misfit || "/"}`);
      return value;
    },
    safeParse: (data) =>
      firstMisfit(data, shape, definitions, "") === undefined ? { success: true, data } : { success: false },
  };
}

const primitives: Readonly<Record<string, (value: unknown) => boolean>> = {
  s: (value) => typeof value === "string",
  n: (value) => typeof value === "number",
  i: Number.isInteger,
  b: (value) => typeof value === "boolean",
  z: (value) => value === null,
  "*": () => true,
};

/** @returns a JSON pointer to the first place that does not fit */
function firstMisfit(value: unknown, shape: Shape, definitions: Definitions, at: string): string | undefined {
  if (typeof shape === "string") {
    const named = definitions[shape];
    if (named !== undefined) return firstMisfit(value, named, definitions, at);
    return primitives[shape]?.(value) ? undefined : at;
  }
  if (isCompound(shape)) return misfitOfCompound(value, shape, definitions, at);
  return isObject(value) ? misfitInObject(value, Object.entries(shape), definitions, at) : at;
}

function misfitOfCompound(value: unknown, shape: Compound, definitions: Definitions, at: string): string | undefined {
  switch (shape[0]) {
    case "=":
      return shape[1].includes(value) ? undefined : at;
    case "|":
      return shape[1].some((one) => firstMisfit(value, one, definitions, at) === undefined) ? undefined : at;
    case "~":
      return typeof value === "string" && new RegExp(shape[1], "u").test(value) ? undefined : at;
    case "<": {
      const [, type, lowest, highest = Number.MAX_VALUE] = shape;
      return primitives[type]?.(value) && Number(value) >= lowest && Number(value) <= highest ? undefined : at;
    }
    case "[":
      return misfitInList(value, [], shape[1], definitions, at);
    case "(":
      return misfitInList(value, shape[1], "*", definitions, at);
    case "{":
      if (!isObject(value)) return at;
      return misfitInObject(
        value,
        Object.keys(value).map((name) => [name, shape[1]]),
        definitions,
        at,
      );
    default:
      return shape satisfies never;
  }
}

function misfitInList(
  list: unknown,
  first: readonly Shape[],
  others: Shape,
  definitions: Definitions,
  at: string,
): string | undefined {
  if (!Array.isArray(list) || list.length < first.length) return at;
  for (let n = 0; n < list.length; n++) {
    const misfit = firstMisfit(list[n], first[n] ?? others, definitions, `${at}/${n}`);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

function misfitInObject(
  object: Readonly<Record<string, unknown>>,
  wanted: readonly (readonly [name: string, shape: Shape])[],
  definitions: Definitions,
  at: string,
): string | undefined {
  for (const [key, shape] of wanted) {
    const name = key.replace(/\?$/, "");
    if (object[name] === undefined && name !== key) continue;
    const misfit = firstMisfit(object[name], shape, definitions, `${at}/${name}`);
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

function isCompound(shape: Shape): shape is Compound {
  return Array.isArray(shape);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
