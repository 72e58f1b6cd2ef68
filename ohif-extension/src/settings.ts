import { MergeMode, ModelName, type SubmitJob } from "#server/contract/index.ts";
import { english, type Texts } from "./texts.ts";

export interface Settings {
  /** Without a slash at the end; a path of the viewer's own origin, or an origin that the server shares with. */
  readonly serverUrl: string;
  /** Left out: the server chooses. */
  readonly model?: string;
  readonly merge: NonNullable<SubmitJob["merge"]>;
  readonly texts: Texts;
}

/** The customization that app-config.js sets them with. */
export const settingsKey = "parse3d.settings";

/** Settings as a site wrote them: what does not fit counts as not written, and is said on the console. */
export function readSettings(written: unknown): Settings {
  const given: Readonly<Record<string, unknown>> =
    typeof written === "object" && written !== null ? { ...written } : {};
  const { serverUrl = "/parse3d-api", model, merge = "exclusive", texts = {}, ...unknown } = given;
  for (const name of Object.keys(unknown)) console.warn(`${settingsKey}: there is no setting ${name}`);
  const knownModel = ModelName.safeParse(model);
  const knownMerge = MergeMode.safeParse(merge);
  return {
    serverUrl: String(serverUrl).replace(/\/+$/, ""),
    ...(knownModel.success && { model: knownModel.data }),
    merge: knownMerge.success ? knownMerge.data : "exclusive",
    texts: { ...english, ...(typeof texts === "object" ? texts : {}) },
  };
}
