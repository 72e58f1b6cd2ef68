import { readFileSync } from "node:fs";
import { codeOf } from "./make-folder.ts";
import { secretSettings } from "./settings.ts";

type Variables = Readonly<Record<string, string>>;

/**
 * The environment with the secrets that it names files for (NAME_FILE), less the line's end that editors put at the end of a file.
 * @param given without empty variables
 * @returns what is set, and what is wrong; no problem holds a value
 */
export function withSecretFiles(given: Variables): { readonly set: Variables; readonly problems: string[] } {
  const set: Record<string, string> = { ...given };
  const problems: string[] = [];
  for (const name of secretSettings) {
    const variable = `${name}_FILE`;
    const file = given[variable];
    if (file === undefined) continue;
    if (given[name] !== undefined) {
      problems.push(`${variable}: set either it or ${name}, not both`);
      continue;
    }
    try {
      const value = readFileSync(file, "utf8").replace(/\r?\n$/, "");
      if (value === "") problems.push(`${variable}: the file is empty`);
      else set[name] = value;
    } catch (cause) {
      problems.push(`${variable}: the file cannot be read (${codeOf(cause)})`);
    }
  }
  return { set, problems };
}
