import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrate, openEmbeddedDatabase } from "#server/database/index.ts";
import { PostgresJobQueue } from "#server/jobs/index.ts";
import { ROUTING_OWNER, startRouting } from "#server/routing/index.ts";
import { browserPath, openBrowser, type Page, type TestBrowser } from "../../ohif-extension/test/browser.ts";
import { arrivingSeries, sendTo } from "../fixtures/arrivals.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { routedModels } from "../fixtures/routed-models.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { densityCard, startTestServer } from "../fixtures/test-server.ts";

if (!browserPath) console.warn("NO BROWSER: the test of rules in /ui is skipped. apt-get install chromium");

const patience = { timeout: 60_000, interval: 100 };
const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
const chest = { id: "chest", when: { tag: "BodyPartExamined", equals: "CHEST" }, ask: { prompts: ["lung"] } };

describe.skipIf(!browserPath)("routing rules at /ui, with a real archive behind", () => {
  const stack = new AsyncDisposableStack();
  let queue: PostgresJobQueue;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    const orthanc = stack.use(await startTestOrthanc({ StableAge: 1 }));
    const db = stack.use(await openEmbeddedDatabase());
    await migrate(db);
    const { run } = createFakeRunner();
    const { logger } = createLogReader();
    queue = await PostgresJobQueue.open({ db, runner: run, logger, concurrency: 0 });
    stack.use(queue);
    // Two jobs that took two and four minutes; an image that was sent tells nothing about series, nor does another model.
    for (const [minutes, kind, model] of [
      [2, "series", "density-ct"],
      [4, "series", "density-ct"],
      [500, "series", "other"],
      [600, "image", "density-ct"],
    ] as const) {
      await db.query(
        `insert into parse3d.jobs (id, owner, request_id, request, priority, state, attempts, started_at, finished_at, result)
         values ('before-' || $1, 'somebody', 'r', jsonb_build_object('kind', $2::text), 2, 'succeeded', 1,
           now() - make_interval(mins => $3::int), now(), jsonb_build_object('model', jsonb_build_object('name', $4::text)))`,
        [String(minutes), kind, minutes, model],
      );
    }
    await sendTo(orthanc.baseUrl, arrivingSeries("one", { StudyDate: today }).slices(3));
    await sendTo(orthanc.baseUrl, arrivingSeries("two", { StudyDate: today }).slices(2));
    await sendTo(orthanc.baseUrl, arrivingSeries("head", { StudyDate: today, BodyPartExamined: "HEAD" }).slices(2));
    const ours = { StudyDate: today, Manufacturer: "Parse3D", SeriesDescription: "<i>ours</i>" };
    await sendTo(orthanc.baseUrl, arrivingSeries("ours", ours).slices(2));
    await sendTo(orthanc.baseUrl, arrivingSeries("long ago", { StudyDate: "20200101" }).slices(2));
    const routing = startRouting({
      db,
      queue,
      logger,
      from: { kind: "orthanc", url: orthanc.baseUrl, headers: {} },
      pollMs: 1000,
      modalities: ["CT", "MR", "PT"],
      checkDestination: async () => {},
      models: routedModels({ ...densityCard, targets: [{ name: "lung", synonyms: [] }] }),
      hasNiftiFolder: false,
    });
    stack.use(routing);
    const server = stack.use(await startTestServer({ parts: { routing } }));
    browser = stack.use(await openBrowser());
    page = browser.page;
    page.on("dialog", (dialog) => dialog.accept());
    await page.goto(`${server.url}/ui`);
  });
  afterAll(() => stack.disposeAsync());

  const outcome = () => page.innerText("#outcome");
  const rows = async () =>
    (await page.locator("#tested-series tr").allInnerTexts()).map((row) => row.split("\t").map((cell) => cell.trim()));
  const rules = () => page.innerText("#rules");
  const said = () => page.innerText("#said");

  test("a rule that is written there tells which series it matches, how long that takes, and why not the others", async () => {
    await expect.poll(rules, patience).toContain("There are no rules.");
    await page.fill("#rule", JSON.stringify(chest));
    await page.fill("#days", "7");
    await page.click("#test-one");
    await expect
      .poll(outcome, patience)
      .toBe(
        "4 series of the last 7 days. chest: 2. About 6 machine minutes, as jobs took so far (density-ct: 6 for 2 series).",
      );
    const [first, second, ...others] = await rows();
    expect([first, second].map((row) => [row?.[0], row?.[2]])).toEqual([
      ["CT Thorax 1.0", "chest"],
      ["CT Thorax 1.0", "chest"],
    ]);
    expect([first?.[1], second?.[1]].sort()).toEqual(["2", "3"]);
    expect(others.map(([what, , matches, why]) => [what, matches, why]).sort()).toEqual([
      // Words of the archive are words, never markup.
      ["CT <i>ours</i>", "", "never: its Manufacturer is this program"],
      ["CT Thorax 1.0", "", 'chest: BodyPartExamined is "HEAD", not "CHEST"'],
    ]);
    expect(await queue.list({ owners: [ROUTING_OWNER], limit: 10 })).toEqual([]);
    await expect.poll(rules, patience).toContain("There are no rules.");
  });

  test("a rule is added, tested with all others, switched off and on, changed and removed", async () => {
    await page.click("#add");
    await expect.poll(rules, patience).toContain("chest: lung");
    await page.click("#test-all");
    await expect.poll(outcome, patience).toContain("chest: 2.");
    await page.locator("#rules").getByText("Switch off").click();
    await expect.poll(rules, patience).toContain("chest (off)");
    await page.locator("#rules").getByText("Switch on").click();
    await expect.poll(rules, patience).not.toContain("(off)");
    await page.locator("#rules").getByText("Edit").click();
    const stands = JSON.parse(await page.inputValue("#rule"));
    expect(stands).toMatchObject(chest);
    await page.fill("#rule", JSON.stringify({ ...stands, when: { tag: "BodyPartExamined", equals: "HEAD" } }));
    await page.click("#add");
    await page.locator("#rules").getByText("Test").click();
    await expect.poll(outcome, patience).toContain("chest: 1. About 3 machine minutes");
    await page.locator("#rules").getByText("Remove").click();
    await expect.poll(rules, patience).toContain("There are no rules.");
  });

  test("what is wrong with a rule is said", async () => {
    await page.fill("#rule", "{");
    await page.click("#test-one");
    await expect.poll(said, patience).toBe("The rule is not JSON.");
    await page.fill("#rule", JSON.stringify({ ...chest, when: { tag: "KVP", matches: "(" } }));
    await page.click("#test-one");
    await expect.poll(said, patience).toMatch(/chest|matches|pattern|regular/i);
    // What no model can answer is told by a test, and refused when it is added.
    await page.fill("#rule", JSON.stringify({ ...chest, ask: { prompts: ["lung"], model: "of-tomorrow" } }));
    await page.click("#test-one");
    await expect.poll(outcome, patience).toContain("chest: There is no model of that name. Installed: density-ct.");
    await page.click("#add");
    await expect.poll(said, patience).toContain("Installed: density-ct");
    await expect.poll(rules, patience).toContain("There are no rules.");
    await page.fill("#rule", JSON.stringify(chest));
    await page.click("#test-one");
    await expect.poll(outcome, patience).toContain("chest: 2. About");
    expect(await said()).toBe("");
  });

  test("nothing broke in the page, and its policy held nothing back", () => {
    expect(browser.complaints).toEqual([]);
  });
});
