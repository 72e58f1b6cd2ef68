import { MergeMode, ModelName, Output } from "#server/contract/index.ts";
import type { AskOptions } from "./state/desk.ts";
import { english, type Texts } from "./texts.ts";

export interface Settings extends AskOptions {
  /** Without a slash at the end; a path of the viewer's own origin, or an origin that the server shares with. */
  readonly serverUrl: string;
  readonly texts: Texts;
}

/** The customization that app-config.js sets them with. */
export const settingsKey = "parse3d.settings";

/** Settings as a site wrote them: what does not fit counts as not written, and is said on the console. */
export function readSettings(written: unknown): Settings {
  const given: Readonly<Record<string, unknown>> =
    typeof written === "object" && written !== null ? { ...written } : {};
  const {
    serverUrl = "/parse3d-api",
    model,
    merge,
    outputs,
    threshold,
    preview = true,
    keepProbabilities = true,
    texts = {},
    ...unknown
  } = given;
  const unfit = (name: string) => console.warn(`${settingsKey}: ${name} is not what it may be, and is left out`);
  for (const name of Object.keys(unknown)) console.warn(`${settingsKey}: there is no setting ${name}`);
  const read = <T>(name: string, value: unknown, schema: Schema): { readonly [key: string]: T } => {
    if (value === undefined) return {};
    const parsed = schema.safeParse(value);
    if (parsed.success) return { [name]: parsed.data as T };
    unfit(name);
    return {};
  };
  return {
    serverUrl: String(serverUrl).replace(/\/+$/, ""),
    ...read<string>("model", model, ModelName),
    merge: "exclusive",
    ...read<AskOptions["merge"]>("merge", merge, MergeMode),
    ...read<NonNullable<AskOptions["outputs"]>>("outputs", outputs, listOf(Output)),
    ...read<number>("threshold", threshold, fraction),
    preview: preview !== false,
    keepProbabilities: keepProbabilities !== false,
    texts: { ...english, ...(typeof texts === "object" ? texts : {}) },
  };
}

interface Schema {
  safeParse(value: unknown): { readonly success: boolean; readonly data?: unknown };
}

const listOf = (item: Schema): Schema => ({
  safeParse: (value) => ({
    success: Array.isArray(value) && value.length > 0 && value.every((one) => item.safeParse(one).success),
    data: value,
  }),
});

const fraction: Schema = {
  safeParse: (value) => ({ success: typeof value === "number" && value >= 0 && value <= 1, data: value }),
};
