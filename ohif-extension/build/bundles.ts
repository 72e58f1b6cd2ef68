import { createRequire } from "node:module";
import { join } from "node:path";
import type { InputOptions, OutputOptions } from "rolldown";
import { contractModule } from "./contract-module.ts";
import { shortStyles } from "./short-styles.ts";

const folder = join(import.meta.dirname, "..");
/** Named by its file: what it exports and nobody uses is left out then. */
const reactDom = join(createRequire(import.meta.url).resolve("react-dom"), "../cjs/react-dom.production.min.js");
const source = join(folder, "src");

export interface Bundle {
  readonly input: InputOptions;
  readonly output: OutputOptions & { readonly file: string };
}

const production = { "process.env.NODE_ENV": '"production"' } as const;
/** React asks for Internet Explorer's ways, and for tools that look into the panel: neither is there. */
const ownReact = {
  ...production,
  "document.documentMode": "undefined",
  __REACT_DEVTOOLS_GLOBAL_HOOK__: "undefined",
} as const;

const provided = (id: string) => /^(react|react-dom)(\/|$)|^@(ohif|cornerstonejs)\//.test(id);

function bundle(
  entry: string,
  file: string,
  { island, format = "esm" }: { readonly island: "own" | "host"; readonly format?: "esm" | "umd" },
): Bundle {
  const own = island === "own";
  return {
    input: {
      input: join(source, entry),
      platform: "browser",
      // Its paths, which are for the type checker, would go before the aliases below.
      tsconfig: false,
      external: own ? [] : (id) => provided(id) && !(format === "umd" && id === "react/jsx-runtime"),
      resolve: {
        alias: {
          "#island": join(source, "ohif", own ? "own-react.tsx" : "host-react.tsx"),
          ...(own && { "react-dom/client": reactDom }),
          // OHIF 3.14 shares React with runtime plugins, not its JSX runtime.
          ...(format === "umd" && { "react/jsx-runtime": join(source, "ohif", "jsx-from-react.ts") }),
        },
      },
      plugins: [contractModule, shortStyles],
      transform: { target: "es2022", define: own ? ownReact : production, jsx: "react-jsx" },
      onwarn: (warning) => {
        throw new Error(warning.message);
      },
    },
    output: {
      file,
      format,
      sourcemap: own,
      minify: format === "umd" || own,
      // What bundlers may leave out is left out by now; an OHIF that is built with it has use for the remarks.
      ...((format === "umd" || own) && { comments: { annotation: false } }),
      ...(format === "umd" && { name: "@parse3d/ohif-extension", exports: "default", globals: (id: string) => id }),
    },
  };
}

/**
 * What the package holds: `runtime*.js` for any ready-built OHIF by URL, with their own React; `index.js` and `mode.js` for an
 * OHIF that is built with them; `index.umd.js` for OHIF's descriptors of runtime plugins.
 */
export const bundles: readonly Bundle[] = [
  bundle("index.ts", "runtime.js", { island: "own" }),
  bundle("mode.ts", "runtime-mode.js", { island: "own" }),
  bundle("index.ts", "index.js", { island: "host" }),
  bundle("mode.ts", "mode.js", { island: "host" }),
  bundle("index.ts", "index.umd.js", { island: "host", format: "umd" }),
];
