import { createHash } from "node:crypto";
import { encode } from "html-entities";
import { contract, ProblemCode, type Route } from "#server/contract/index.ts";
import { curlLine } from "./curl-line.ts";
import type { JsonObject, OpenApiDocument } from "./openapi.ts";
import { statusOf } from "./problem.ts";

const style = `
:root { color-scheme: light dark; --soft: #8883; --accent: #0a6e8a; }
@media (prefers-color-scheme: dark) { :root { --accent: #5cc8e6; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--soft); }
h3 code { font-size: 1rem; }
.notice { border-left: 4px solid #c33; padding: .5rem 1rem; background: var(--soft); }
.method { color: var(--accent); font-weight: 700; }
pre { overflow-x: auto; background: var(--soft); padding: .75rem 1rem; border-radius: 4px; font-size: .85rem; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .2rem 1.2rem .2rem 0; vertical-align: top; }
a { color: var(--accent); }
`;

/** The page has one style and nothing else: no script, no image, no address but its own. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'`;

/** The API to read in a browser. */
export function docsPage({ info, servers, components }: OpenApiDocument): string {
  const routes = Object.entries<Route>(contract);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${encode(info.title)} API</title>
<style>${style}</style>
</head>
<body>
<h1>${encode(info.title)} ${encode(info.version)}</h1>
<p>${encode(info.summary)}.</p>
<p class="notice"><strong>Research use only.</strong> Not for diagnosis or treatment.</p>
<p>The same as a program reads it: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).
Where the server has a token (<code>PARSE3D_TOKEN</code>), every operation below but <code>/healthz</code> is asked with the header
<code>Authorization: Bearer TOKEN</code>. To try the server in a browser, <a href="/ui">its page</a> asks for the token.</p>
<h2>Operations</h2>
<p>For the lines to try: <code>export PARSE3D=${encode(servers[0].url)}</code>, and <code>JOB</code> is a job's id.</p>
<ul>${routes.map(([name, { method, path, summary }]) => `<li><a href="#${name}"><code>${method} ${path}</code></a> ${encode(summary)}</li>`).join("\n")}</ul>
${routes.map(([name, route]) => operation(name, route)).join("\n")}
<h2>Documents</h2>
${Object.entries(components.schemas)
  .map(([name, schema]) => section(name, schema))
  .join("\n")}
<h2>Problems</h2>
<p>Every error is <code>application/problem+json</code> (RFC 9457): see <a href="#schema-Problem">Problem</a>. A failed job holds the same document.</p>
<table>
<tr><th>code</th><th>status</th></tr>
${ProblemCode.options.map((code) => `<tr id="problem-${code}"><td><code>${code}</code></td><td>${statusOf[code]}</td></tr>`).join("\n")}
</table>
</body>
</html>
`;
}

function operation(name: string, route: Route): string {
  const codes = route.problems.map((code) => `<a href="#problem-${code}"><code>${code}</code></a>`).join(", ");
  return `<section id="${name}">
<h3><span class="method">${route.method}</span> <code>${encode(route.path)}</code></h3>
<p>${encode(route.summary)}.${route.description ? ` ${encode(route.description)}` : ""}</p>
<pre>${encode(curlLine(name, route))}</pre>
${codes && `<p>Problems: ${codes}</p>`}
</section>`;
}

function section(name: string, schema: JsonObject): string {
  return `<details id="schema-${name}"><summary><code>${name}</code></summary><pre>${encode(JSON.stringify(schema, null, 2))}</pre></details>`;
}
