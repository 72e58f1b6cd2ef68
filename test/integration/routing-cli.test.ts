import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { freePort } from "#server/orthanc/index.ts";
import { startServer } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";
import { createLogger } from "../../server/logger.ts";
import { arrivingSeries, sendTo } from "../fixtures/arrivals.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";

const command = resolve(import.meta.dirname, "../../bin/parse3d");
const stack = new AsyncDisposableStack();
let folder: string;
let environment: Readonly<Record<string, string>>;
let archiveUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-cli-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const orthanc = stack.use(await startTestOrthanc({ StableAge: 1 }));
  archiveUrl = orthanc.baseUrl;
  environment = {
    PARSE3D_DATA_DIR: folder,
    PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
    PARSE3D_ORTHANC_URL: orthanc.baseUrl,
    PARSE3D_ROUTING_POLL_SECONDS: "0.2",
    PARSE3D_JOBS: "durable",
    PARSE3D_JOB_ATTEMPTS: "1",
    PARSE3D_PORT: String(await freePort()),
    PARSE3D_TOKEN: "0123456789abcdef",
    PARSE3D_LOG_LEVEL: "silent",
    PARSE3D_EXECUTION_PROVIDER: "cpu",
  };
  const config = readConfig(environment);
  stack.use(await startServer(config, createLogger(config.log)));
});
afterAll(() => stack.disposeAsync());

function parse3d(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
    let out = "";
    let err = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.once("error", reject).once("close", (code) => done({ code, out, err }));
  });
}

test("rules are tried, added, listed as the YAML that they came from, and removed", async () => {
  const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  await sendTo(archiveUrl, arrivingSeries("chest", { StudyDate: today }).slices(2));
  await sendTo(archiveUrl, arrivingSeries("head", { StudyDate: today, BodyPartExamined: "HEAD" }).slices(2));
  const file = join(folder, "rules.yaml");
  await writeFile(file, "id: chest\nwhen: { tag: BodyPartExamined, equals: CHEST }\nask: { prompts: [lung] }\n");

  const tried = await parse3d("rules", "test", file, "--since", "2d");
  expect(tried, tried.err).toMatchObject({ code: 0 });
  expect(tried.out).toContain("matches chest");
  expect(tried.out).toContain('not chest: BodyPartExamined is "HEAD", not "CHEST"');
  expect(tried.out).toContain("2 series looked at\nchest: 1\n");
  expect((await parse3d("rules")).out).toBe("# no rules\n");

  expect(await parse3d("rules", "add", file)).toMatchObject({ code: 0, out: "added: chest\n" });
  const listed = await parse3d("rules", "list");
  const copy = join(folder, "copy.yaml");
  await writeFile(copy, listed.out);
  expect(await parse3d("rules", "add", copy)).toMatchObject({ code: 0 });
  expect(await parse3d("rules", "list")).toEqual(listed);
  expect(await parse3d("rules", "remove", "chest")).toMatchObject({ code: 0 });
  const gone = await parse3d("rules", "remove", "chest");
  expect(gone).toMatchObject({ code: 3, err: expect.stringContaining("no such rule as chest; the rules are: none") });
  expect(gone.err).not.toMatch(/GET|HTTP|\/v1/);
});

test("a backfill shows, then queues what was there before, once, and can be stopped", async () => {
  const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const { series, slices } = arrivingSeries("old mr", { StudyDate: today, BodyPartExamined: "KNEE" });
  await sendTo(archiveUrl, slices(2));
  const file = join(folder, "knee.yaml");
  await writeFile(file, "id: knee\nwhen: { tag: BodyPartExamined, equals: KNEE }\nask: { prompts: [bone] }\n");
  // It arrives, and is decided on, before there is a rule for it.
  await vi.waitFor(async () => {
    const tried = JSON.parse((await parse3d("rules", "test", file, "--since", "2d", "--json")).out);
    expect(tried.rules).toEqual([{ id: "knee", matched: 1 }]);
  }, 60_000);
  await sleep(3000);
  expect((await parse3d("rules", "add", file)).code).toBe(0);
  const shown = await parse3d("rules", "backfill", "knee", "--since", "2d");
  expect(shown, shown.err).toMatchObject({ code: 0 });
  expect(shown.out).toContain(`${series.seriesInstanceUid}  CT  2 slices  Thorax 1.0\n    to be asked about\n`);
  expect(shown.out).toContain("1 would be added");
  expect(shown.out).toContain("give --queue");
  const queued = await parse3d("rules", "backfill", "knee", "--since", "2d", "--queue");
  expect(queued.out).toContain("1 added: 1 wait");
  const listed = async () =>
    JSON.parse((await parse3d("jobs", "list", "--routed", "--json")).out).jobs.filter(
      ({ ruleId }: { ruleId: string }) => ruleId === "knee",
    );
  await vi.waitFor(async () => expect(await listed()).toMatchObject([{ priority: "batch" }]), {
    timeout: 60_000,
    interval: 500,
  });
  expect((await parse3d("rules", "backfill", "knee", "--since", "2d", "--queue")).out).toContain("asked about before");
  expect(await listed()).toHaveLength(1);
  expect((await parse3d("rules", "backfill", "knee", "--stop")).out).toBe("forgotten: 0\n");
  expect(await parse3d("rules", "backfill", "none")).toMatchObject({ code: 3 });
  expect(await parse3d("rules", "backfill", "none", "--stop")).toMatchObject({ code: 3 });
  expect(await parse3d("rules", "backfill", "knee", "--per-hour", "fast")).toMatchObject({ code: 2 });
  expect((await parse3d("rules", "remove", "knee")).code).toBe(0);
});

test("a rule that cannot be used is refused with the reason", async () => {
  const file = join(folder, "wrong.yaml");
  await writeFile(file, "id: chest\nwhen: { tag: BodyPart, equals: CHEST }\nask: { prompts: [lung] }\n");
  const refused = await parse3d("rules", "add", file);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("BodyPart is no attribute of DICOM") });
});

test.each([
  ["a model that there is not", "{ prompts: [bone], model: none-such }", 3, /Installed: .*density-ct/],
  ["prompts that no model knows of such images", "{ prompts: [liver] }", 4, /on MR images. They know: .*hippocampus/],
  ["a folder that nobody has named", "{ prompts: [bone], outputs: [nifti] }", 2, /PARSE3D_NIFTI_FOLDER/],
])("a rule with %s is refused, with what there is; what came before it is told", async (_what, ask, code, words) => {
  const file = join(folder, "unanswerable.yaml");
  const modality = ask.includes("liver") ? "MR" : "CT";
  const rule = (id: string, asked: string, equals = "CT") =>
    `  - { id: ${id}, when: { tag: Modality, equals: ${equals} }, ask: ${asked} }\n`;
  await writeFile(file, `rules:\n${rule("fine", "{ prompts: [bone] }")}${rule("odd", ask, modality)}`);
  const refused = await parse3d("rules", "add", file);
  expect(refused).toMatchObject({ code, err: expect.stringMatching(words) });
  expect(refused.err).toContain("added before that: fine\n");
  expect(JSON.parse((await parse3d("rules", "list", "--json")).out).rules).toMatchObject([{ id: "fine" }]);
  expect((await parse3d("rules", "remove", "fine")).code).toBe(0);
});

test("routed jobs that failed are listed with their reason, and can be queued again", async () => {
  const file = join(folder, "mr.yaml");
  // The series has one volume: the job fails, and would fail again.
  await writeFile(file, "id: no-volume\nwhen: { tag: Modality, equals: CT }\nask: { prompts: [bone], volume: 7 }\n");
  expect((await parse3d("rules", "add", file)).code).toBe(0);
  await sendTo(archiveUrl, arrivingSeries("failing").slices(6));
  // The rules of the tests before may have routed something in the meantime.
  const allFailed = async (): Promise<{ ruleId: string; id: string }[]> =>
    JSON.parse((await parse3d("jobs", "list", "--routed", "--state", "failed", "--json")).out).jobs;
  const failed = async () => (await allFailed()).filter(({ ruleId }) => ruleId === "no-volume");
  await vi.waitFor(async () => expect(await failed()).toHaveLength(1), { timeout: 60_000, interval: 500 });
  const [job] = await failed();
  expect(job).toMatchObject({ ruleId: "no-volume", problem: { code: "unsupported-series" } });
  const words = await parse3d("jobs", "list", "--routed");
  expect(words.out).toContain(`${job?.id}  `);
  expect(words.out).toContain("CANCELED (failed)");
  const canceled = await parse3d("jobs", "list", "--routed", "--state", "canceled", "--json");
  expect(JSON.parse(canceled.out).jobs).toEqual(expect.arrayContaining([expect.objectContaining({ id: job?.id })]));
  expect((await parse3d("jobs", "list", "--routed", "--state", "in-progress")).out).toBe("no jobs\n");
  expect(words.out).toContain("[routed by no-volume]  bone\n    unsupported-series: ");
  const count = (await allFailed()).length;
  const retried = await parse3d("jobs", "retry", "--failed", "--routed");
  expect(retried.out).toContain(`queued again: ${count}`);
  await vi.waitFor(async () => expect(await failed()).toMatchObject([{ attempt: 2 }]), {
    timeout: 60_000,
    interval: 500,
  });
  expect(await parse3d("jobs", "retry", "none")).toMatchObject({ code: 3 });
  expect(await parse3d("jobs", "retry")).toMatchObject({ code: 2 });
});

test("where no server runs, the command says so", async () => {
  const { PARSE3D_PORT: port } = environment;
  environment = { ...environment, PARSE3D_PORT: String(await freePort()) };
  const answer = await parse3d("jobs");
  environment = { ...environment, PARSE3D_PORT: port ?? "" };
  expect(answer).toMatchObject({ code: 6, err: expect.stringContaining("parse3d serve") });
});
