import { join } from "node:path";
import type { Plugin } from "rolldown";
import { styles } from "../src/panel/styles.ts";

const file = join(import.meta.dirname, "../src/panel/styles.ts");

/** Takes line ends and indents out of the panel's style sheet, into which minifiers of scripts do not look. */
export const shortStyles: Plugin = {
  name: "short-styles",
  load: (loaded) => (loaded === file ? `export const styles = ${JSON.stringify(shortened(styles))};` : undefined),
};

/** Spaces before colons stay: `.a :focus` is not `.a:focus`. */
function shortened(css: string): string {
  return css
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1")
    .replace(/: /g, ":")
    .replace(/;}/g, "}")
    .trim();
}
