import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { encode } from "html-entities";

const script = readFileSync(new URL("./ui/app.js", import.meta.url), "utf8");

const style = `
:root { color-scheme: light dark; --soft: #8883; --accent: #0a6e8a; --bad: #b3261e; --good: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --accent: #5cc8e6; --bad: #ff9a8d; --good: #7fd6a0; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; vertical-align: top; border-bottom: 1px solid var(--soft); overflow-wrap: anywhere; }
button { margin-right: .4rem; }
textarea { width: 100%; box-sizing: border-box; font: 14px/1.4 ui-monospace, monospace; }
img { max-width: 100%; }
a { color: var(--accent); }
.notice { border-left: 4px solid #c33; padding: .5rem 1rem; background: var(--soft); }
.bad { color: var(--bad); }
.good { color: var(--good); }
`;

const exampleRule = JSON.stringify(
  {
    id: "chest-ct",
    when: {
      all: [
        { tag: "Modality", equals: "CT" },
        { tag: "BodyPartExamined", equals: ["CHEST", "THORAX"] },
        { tag: "SliceCount", min: 80 },
      ],
    },
    ask: { prompts: ["left lung", "right lung"] },
  },
  undefined,
  2,
);

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** One script, one style, its own server, and pictures that the script fetched. */
export const uiPolicy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "connect-src 'self'",
  "img-src blob:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** Jobs, results, rules, models and health, for a browser without a viewer. It holds no data: its script asks for them. */
export function uiPage(version: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Parse3D</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Parse3D ${encode(version)}</h1>
<p class="notice"><strong>Research use only.</strong> Not for diagnosis or treatment. <a href="/docs">The API</a></p>
<form id="token" hidden>
<label for="token-text">This server asks for a token (PARSE3D_TOKEN): </label>
<input id="token-text" type="password" autocomplete="off"> <button>Use it</button>
</form>
<p id="said" role="status" class="bad"></p>
<h2>Jobs</h2>
<p id="no-jobs" hidden>Nothing has been asked yet.</p>
<table>
<thead><tr><th scope="col">Asked</th><th scope="col">What</th><th scope="col">State</th><th scope="col">Findings</th><th scope="col">Actions</th></tr></thead>
<tbody id="jobs"></tbody>
</table>
<h2>Health: <span id="ready">…</span></h2>
<ul id="checks"></ul>
<h2>Models</h2>
<ul id="models"></ul>
<h2>Routing rules</h2>
<ul id="rules"></ul>
<form id="try-rules" hidden>
<h3>Try rules on what the archive holds</h3>
<p>Nothing is queued. Studies of the last <label><input id="days" type="number" min="1" max="36500" value="30" required> days</label>
<button id="test-all">Test all rules</button></p>
<p><label for="rule">A rule, as <a href="/docs">the API</a> takes it (JSON)</label></p>
<textarea id="rule" rows="10" spellcheck="false">${encode(exampleRule)}</textarea>
<p><button id="test-one">Test this rule</button><button id="add">Add it, or replace the one of its id</button></p>
</form>
<p id="outcome" role="status"></p>
<table id="tested" hidden>
<thead><tr><th scope="col">Series</th><th scope="col">Slices</th><th scope="col">Matches</th><th scope="col">Why not</th></tr></thead>
<tbody id="tested-series"></tbody>
</table>
</main>
<script type="module">${script}</script>
</body>
</html>
`;
}
