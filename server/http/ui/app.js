// The plain page at /ui: what the server does, for whoever runs it. No build: a browser reads it as it stands.
const EVERY_MS = { busy: 1000, quiet: 5000 };
const tokenKey = "parse3d.token";
const byId = (id) => document.getElementById(id);
const pictures = new Map();
let open;
let rules = [];

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== undefined && child !== ""));
  return made;
}

async function ask(path, { body, ...options } = {}) {
  const token = sessionStorage.getItem(tokenKey);
  const response = await fetch(path, {
    ...options,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    cache: "no-store",
  });
  byId("token").hidden = response.status !== 401;
  return response;
}

async function read(path, options) {
  const response = await ask(path, options);
  const body = await response.json();
  if (response.ok || (path === "/readyz" && response.status === 503)) return body;
  throw new Error(body.detail ?? body.title ?? `status ${response.status}`);
}

async function act(path, method) {
  const response = await ask(path, { method });
  if (!response.ok) say((await response.json()).detail ?? `status ${response.status}`);
  await refresh();
}

function say(words) {
  byId("said").textContent = words;
}

const shortTime = (iso) => new Date(iso).toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
const wordsOf = ({ request }) => request.prompts.map(({ text }) => text).join(", ") || "everything recommended";

function findingWords({ prompt, present, score, volumeMl, slices }) {
  const sure = score === null ? "" : ` ${score.toFixed(2)}`;
  if (!present) return `${prompt.text}: not found${sure && ` (${sure.trim()})`}`;
  return `${prompt.text}: present${sure}, ${volumeMl?.toPrecision(3) ?? "?"} mL, ${slices.length} slices`;
}

function jobRow(job) {
  const isOver = ["succeeded", "failed", "cancelled"].includes(job.state);
  // DICOM's word; it has one for both ways in which a job does not come to its end.
  const why = job.procedureStepState === "CANCELED" ? ` (${job.state})` : "";
  const state = element("td", {}, `${job.procedureStepState}${why}`);
  if (!isOver) {
    const name = `${wordsOf(job)}: ${job.stage}`;
    state.append(element("br"), element("progress", { max: 1, value: job.fraction, title: name, ariaLabel: name }));
    state.append(element("br"), `${job.stage} ${job.detail ?? ""}`);
  }
  const found = element("td");
  for (const finding of job.findings.filter(({ present }) => present || job.findings.length < 6)) {
    found.append(element("div", {}, findingWords(finding)));
  }
  if (job.problem) found.append(element("div", { className: "bad" }, job.problem.detail ?? job.problem.title));
  const actions = element("td");
  const button = (words, onclick) => actions.append(element("button", { type: "button", onclick }, words));
  if (!isOver) button("Cancel", () => act(`/v1/jobs/${job.id}`, "DELETE"));
  if (job.request.kind === "series" && ["failed", "cancelled"].includes(job.state)) {
    button("Retry", () => act(`/v1/jobs/${job.id}/retry`, "POST"));
  }
  if (job.result?.nifti) found.append(element("div", {}, `NIfTI: ${job.result.nifti.file}`));
  if (job.result?.seg) button(open === job.id ? "Close" : "Picture", () => show(job.id));
  const row = element("tr", {}, element("td", {}, shortTime(job.createdAt)), element("td", {}, wordsOf(job)));
  row.append(state, found, actions);
  row.dataset.job = job.id;
  row.dataset.state = job.state;
  if (open !== job.id) return [row];
  const picture = pictures.get(job.id);
  const shown = picture
    ? element("img", { src: picture, alt: `Axial, coronal and sagittal planes through ${wordsOf(job)}` })
    : "Drawing three planes…";
  return [row, element("tr", {}, element("td", { colSpan: 5 }, shown))];
}

async function show(id) {
  open = open === id ? undefined : id;
  await refresh();
  if (open === undefined || pictures.has(id)) return;
  const response = await ask(`/v1/jobs/${id}/picture`);
  if (response.ok) pictures.set(id, URL.createObjectURL(await response.blob()));
  else {
    open = undefined;
    say((await response.json()).detail ?? "There is no picture of it.");
  }
  await refresh();
}

function list(id, items, none) {
  byId(id).replaceChildren(...(items.length > 0 ? items : [element("li", {}, none)]));
}

async function showHealth() {
  const { ready, checks } = await read("/readyz");
  byId("ready").textContent = ready ? "Ready" : "Not ready";
  byId("ready").className = ready ? "good" : "bad";
  const items = Object.entries(checks).map(([name, { ok, why }]) =>
    element("li", { className: ok ? "" : "bad" }, `${name}: ${ok ? "ready" : "not ready"}${why ? ` (${why})` : ""}`),
  );
  list("checks", items, "Nothing is checked.");
}

async function showModels() {
  const { models } = await read("/v1/models");
  const items = models.map(
    ({ title, name, version, modalities, trained, targets, vocabulary, licence, nonCommercial, intendedUse }) =>
      element(
        "li",
        {},
        `${title} (${name} ${version}): ${modalities.join(", ")}; ${targets.length} targets${vocabulary === "open" ? ", and any words" : ""}; ${trained ? "a trained network" : "rules, not a trained network"}; ${licence}${nonCommercial ? ", NO COMMERCIAL USE" : ""}. ${intendedUse}`,
      ),
  );
  list("models", items, "No model is installed.");
}

const promptsOf = ({ ask: { prompts = [] } }) =>
  prompts.map((prompt) => prompt.text ?? prompt).join(", ") || "everything recommended";

const outputsOf = ({ ask: { outputs, niftiSubfolder } }) =>
  outputs ? ` (${outputs.join(", ")}${niftiSubfolder ? ` in ${niftiSubfolder}` : ""})` : "";

async function showRules() {
  const answer = await read("/v1/rules").catch(() => undefined);
  rules = answer?.rules ?? [];
  const items = rules.map((rule) => {
    const { id, enabled, description } = rule;
    const button = (words, onclick) => element("button", { type: "button", onclick }, words);
    return element(
      "li",
      {},
      `${id}${enabled ? "" : " (off)"}: ${promptsOf(rule)}${outputsOf(rule)}${description ? `. ${description}` : ""} `,
      button("Test", () => test([rule])),
      button(enabled ? "Switch off" : "Switch on", () => changeRule({ body: { ...rule, enabled: !enabled } })),
      button("Edit", () => edit(rule)),
      button("Remove", () => confirm(`Remove the rule ${id}?`) && changeRule({ id })),
    );
  });
  list("rules", items, answer ? "There are no rules." : "This server routes nothing.");
  byId("try-rules").hidden = !answer;
}

/** Adds or replaces a rule, or removes the one of that id. */
async function changeRule({ body, id }) {
  try {
    const taken = await (body
      ? read("/v1/rules", { method: "POST", body })
      : read(`/v1/rules/${id}`, { method: "DELETE" }));
    say((taken.warnings ?? []).join(" "));
  } catch (error) {
    say(error.message);
  }
  await showRules();
}

function edit(rule) {
  byId("rule").value = JSON.stringify(rule, undefined, 2);
  byId("rule").focus();
}

/** The rule that stands in the box; undefined where it is no JSON. */
function written() {
  try {
    return JSON.parse(byId("rule").value);
  } catch {
    say("The rule is not JSON.");
  }
}

/** Which series of the archive rules would have been for; those that are there where none is given. */
async function test(given) {
  const sinceDays = byId("days").valueAsNumber;
  byId("outcome").textContent = "Looking…";
  byId("tested").hidden = true;
  try {
    const body = { sinceDays, ...(given ? { rules: given } : {}) };
    showTest(await read("/v1/rules/test", { method: "POST", body }), sinceDays);
    say("");
  } catch (error) {
    byId("outcome").textContent = "";
    say(error.message);
  }
}

function showTest({ seriesTested, complete, rules: counts, estimatedMinutes, estimates = [], series }, days) {
  byId("outcome").textContent = [
    `${seriesTested} series of the last ${days} days${complete ? "" : ", and there are more"}.`,
    ...counts.map(({ id, matched }) => `${id}: ${matched}.`),
    ...counts.flatMap(({ id, warnings = [] }) => warnings.map((words) => `${id}: ${words}`)),
    ...minutesWords(estimatedMinutes, estimates),
  ].join(" ");
  byId("tested").hidden = series.length === 0;
  // Matches first: of a large archive they are what is looked for.
  const rows = series.toSorted((a, b) => b.matched.length - a.matched.length).map(testedRow);
  byId("tested-series").replaceChildren(...rows);
}

/** How long machines would work, in all and by model. */
function minutesWords(total, estimates) {
  if (estimates.length === 0) return [];
  const each = estimates.map(
    ({ model = "any model", series, minutes }) =>
      `${model}: ${minutes === undefined ? `not known for ${series} series` : `${minutes} for ${series} series`}`,
  );
  if (total === undefined) return ["How long that takes is not known: no job has succeeded yet."];
  return [`About ${total} machine minutes, as jobs took so far (${each.join(", ")}).`];
}

function testedRow({ seriesInstanceUid, modality, seriesDescription, sliceCount, matched, neverBecause, unmatched }) {
  const what = element("td", { title: seriesInstanceUid }, `${modality} ${seriesDescription ?? ""}`.trim());
  const why = neverBecause === undefined ? unmatched.map(({ id, because }) => `${id}: ${because.join("; ")}`) : [];
  const reasons = [...(neverBecause === undefined ? [] : [`never: ${neverBecause}`]), ...why];
  const row = element("tr", {}, what, element("td", {}, String(sliceCount)));
  row.append(element("td", { className: "good" }, matched.join(", ")));
  row.append(element("td", {}, ...reasons.map((words) => element("div", {}, words))));
  return row;
}

async function refresh() {
  const lists = await Promise.all(
    ["me", "routing"].map((by) => read(`/v1/jobs?limit=50&submittedBy=${by}`).catch(by === "me" ? undefined : none)),
  );
  const jobs = lists.flatMap((one) => one.jobs).sort((a, b) => b.createdAt.localeCompare(a.createdAt));
  byId("jobs").replaceChildren(...jobs.flatMap(jobRow));
  byId("no-jobs").hidden = jobs.length > 0;
  return jobs.some(({ state }) => state === "queued" || state === "running");
}

const none = () => ({ jobs: [] });

async function turn() {
  let busy = false;
  try {
    busy = await refresh();
    await showHealth();
    if (byId("said").textContent === "The server does not answer.") say("");
  } catch (error) {
    say(error instanceof TypeError ? "The server does not answer." : error.message);
  }
  setTimeout(turn, busy ? EVERY_MS.busy : EVERY_MS.quiet);
}

byId("try-rules").addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter === byId("test-all")) return test();
  const rule = written();
  if (rule) return event.submitter === byId("add") ? changeRule({ body: rule }) : test([rule]);
});

byId("token").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(tokenKey, byId("token-text").value.trim());
  say("");
  begin();
});

function begin() {
  showModels().catch((error) => say(error.message));
  showRules();
}

begin();
turn();
