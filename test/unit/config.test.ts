import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ConfigError, isLoopback, readConfig } from "../../server/config.ts";
import { Settings } from "../../server/settings.ts";

const root = join(import.meta.dirname, "../..");

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("an empty environment gives a server for this machine only, beside a local Orthanc", () => {
  expect(readConfig({})).toEqual({
    dataFolder: join(root, ".parse3d"),
    modelsFolder: join(root, ".parse3d/models"),
    http: {
      access: { kind: "loopback", host: "127.0.0.1" },
      port: 8117,
      cors: { kind: "loopback" },
      maxUploadBytes: 2147483648,
      requestTimeoutMs: 1_800_000,
      heartbeatMs: 15_000,
      shutdownMs: 10_000,
    },
    pacs: {
      url: "http://127.0.0.1:8042/dicom-web",
      isNamed: false,
      credentials: { kind: "none" },
      timeouts: { connectMs: 5_000, firstByteMs: 60_000, idleMs: 30_000 },
    },
    jobs: { concurrency: 1, backlog: 100, history: 200, attempts: 5, retryMs: 10_000 },
    worker: {
      silentMs: 30_000,
      stageLimits: { fetch: 3_600_000, decode: 900_000, infer: 7_200_000, encode: 900_000, store: 900_000 },
      minFreeDiskBytes: 268435456,
      minFreeMemoryBytes: 268435456,
    },
    probabilities: {
      folder: join(root, ".parse3d/probabilities"),
      maxBytes: 2147483648,
      keepMs: 86_400_000,
    },
    cache: {
      folder: join(root, ".parse3d/cache/series"),
      maxBytes: 4294967296,
      keepMs: 86_400_000,
      minFreeBytes: 536870912,
    },
    database: { kind: "none" },
    routing: { kind: "off" },
    destinations: {},
    notices: { kind: "none" },
    inference: { executionProvider: "auto", idleMs: 600_000, warm: [] },
    hub: { url: "https://huggingface.co" },
    log: { level: "info" },
    unknownVariables: [],
  });
});

test("empty variables count as not set", () => {
  expect(readConfig({ PARSE3D_PORT: "", PARSE3D_TOKEN: "", PARSE3D_CORS_ORIGINS: "" })).toEqual(readConfig({}));
});

test("an address that others can reach needs a token", () => {
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "parse3d.example", "127.0.0.1.example"]) {
    expect(problemsOf({ PARSE3D_HOST: host })).toEqual([expect.stringMatching(/^PARSE3D_HOST: .*PARSE3D_TOKEN/)]);
    const { http } = readConfig({ PARSE3D_HOST: host, PARSE3D_TOKEN: "0123456789abcdef" });
    expect(http.access).toEqual({ kind: "tokens", host, tokens: ["0123456789abcdef"] });
    expect(http.cors).toEqual({ kind: "none" });
  }
});

test("loopback addresses are known as such", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"]) expect(isLoopback(host)).toBe(true);
  for (const host of ["128.0.0.1", "0.0.0.0", "localhost.example", "", "127.0.0.1.nip.io"])
    expect(isLoopback(host)).toBe(false);
});

test("several tokens may be given, one for each user", () => {
  const { access } = readConfig({ PARSE3D_TOKENS: "alice-0123456789a, bob-0123456789abc" }).http;
  expect(access).toMatchObject({ kind: "tokens", tokens: ["alice-0123456789a", "bob-0123456789abc"] });
});

test("every problem is listed at once, by name, and no value is repeated", () => {
  const env = {
    PARSE3D_PORT: "many",
    PARSE3D_TOKEN: "hunter2",
    PARSE3D_DICOMWEB_URL: "ftp://secret.example",
    PARSE3D_MAX_UPLOAD_BYTES: "0",
    PARSE3D_CORS_ORIGINS: "https://a.example/path",
    PARSE3D_EXECUTION_PROVIDER: "abacus",
    PARSE3D_LOG_LEVEL: "loud",
    PARSE3D_THREADS: "1.5",
  };
  const problems = problemsOf(env);
  expect(problems.map((problem) => problem.split(":")[0])).toEqual(expect.arrayContaining(Object.keys(env)));
  expect(problems).toHaveLength(Object.keys(env).length);
  for (const secret of ["hunter2", "secret.example", "many"]) expect(problems.join()).not.toContain(secret);
});

test("keys of other machines come from the environment or from a file, never from both", () => {
  expect(
    readConfig({ PARSE3D_AZURE_ML_KEY: "k", PARSE3D_OPEN_INFERENCE_KEY_FILE: "/run/key" }).inference,
  ).toMatchObject({
    remoteKeys: { azureMl: { kind: "value", value: "k" }, openInference: { kind: "file", file: "/run/key" } },
  });
  expect(problemsOf({ PARSE3D_AZURE_ML_KEY: "k", PARSE3D_AZURE_ML_KEY_FILE: "/run/key" })).toHaveLength(1);
  expect(problemsOf({ PARSE3D_AZURE_ML_KEY: "two words" })).toEqual([expect.not.stringMatching(/two words/)]);
});

test("the archive's credentials are a token or a user, never both", () => {
  expect(readConfig({ PARSE3D_DICOMWEB_TOKEN: "t" }).pacs.credentials).toEqual({ kind: "bearer", token: "t" });
  expect(readConfig({ PARSE3D_DICOMWEB_USER: "u", PARSE3D_DICOMWEB_PASSWORD: "p" }).pacs.credentials).toEqual({
    kind: "basic",
    user: "u",
    password: "p",
  });
  expect(problemsOf({ PARSE3D_DICOMWEB_TOKEN: "t", PARSE3D_DICOMWEB_USER: "u" })).toHaveLength(1);
  expect(problemsOf({ PARSE3D_DICOMWEB_PASSWORD: "p" })).toHaveLength(1);
});

test("jobs are in memory, in the data folder, or in a PostgreSQL; a database remembers more of them", () => {
  expect(readConfig({ PARSE3D_JOBS: "durable", PARSE3D_DATA_DIR: "/data" })).toMatchObject({
    database: { kind: "embedded", folder: "/data/database" },
    jobs: { history: 10_000 },
  });
  const url = "postgres://parse3d:secret@db.example/parse3d";
  expect(readConfig({ PARSE3D_DATABASE_URL: url }).database).toEqual({ kind: "server", url });
  expect(problemsOf({ PARSE3D_DATABASE_URL: url, PARSE3D_JOBS: "memory" })).toHaveLength(1);
  expect(problemsOf({ PARSE3D_DATABASE_URL: "mysql://db.example" })).toEqual([
    expect.stringMatching(/^PARSE3D_DATABASE_URL: /),
  ]);
});

test("routing needs a database, and an Orthanc without a password in its address", () => {
  const PARSE3D_ORTHANC_URL = "http://127.0.0.1:8042/";
  expect(problemsOf({ PARSE3D_ORTHANC_URL })).toEqual([expect.stringContaining("PARSE3D_JOBS=durable")]);
  expect(readConfig({ PARSE3D_ORTHANC_URL, PARSE3D_JOBS: "durable" }).routing).toEqual({
    kind: "orthanc",
    url: "http://127.0.0.1:8042",
    pollMs: 10_000,
    superseded: "keep",
    modalities: ["CT", "MR", "PT"],
  });
  const withUser = "http://user:hunter2@127.0.0.1:8042";
  expect(problemsOf({ PARSE3D_ORTHANC_URL: withUser, PARSE3D_JOBS: "durable" })).toHaveLength(1);
  expect(problemsOf({ PARSE3D_ROUTING_MODALITIES: "ct" })).toHaveLength(1);
});

test("origins are listed exactly", () => {
  expect(readConfig({ PARSE3D_CORS_ORIGINS: "https://a.example, http://localhost:3000" }).http.cors).toEqual({
    kind: "list",
    origins: ["https://a.example", "http://localhost:3000"],
  });
  expect(readConfig({ PARSE3D_CORS_ORIGINS: "none" }).http.cors).toEqual({ kind: "none" });
  expect(problemsOf({ PARSE3D_CORS_ORIGINS: "*" })).toHaveLength(1);
});

test("a mistyped variable is noticed", () => {
  expect(readConfig({ PARSE3D_TOKNE: "x", HOME: "/root" }).unknownVariables).toEqual(["PARSE3D_TOKNE"]);
});

test("docs/configuration.md tells of every variable with its default", () => {
  const docs = readFileSync(join(root, "docs/configuration.md"), "utf8");
  const documented = [...docs.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(documented.sort()).toEqual(Object.keys(Settings.shape).sort());
});

test("GPUs by number get as many jobs at once, unless that is said; a mistyped or doubled number is a problem", () => {
  const { inference, jobs } = readConfig({
    PARSE3D_GPUS: "0, 2,3",
    PARSE3D_WARM_MODELS: "brain-t1-unet,medimageparse3d",
  });
  expect(inference).toMatchObject({ gpus: [0, 2, 3], warm: ["brain-t1-unet", "medimageparse3d"] });
  expect(jobs.concurrency).toBe(3);
  expect(readConfig({ PARSE3D_GPUS: "0,1", PARSE3D_JOB_CONCURRENCY: "1" }).jobs.concurrency).toBe(1);
  for (const wrong of ["one", "0,0", "-1", ","])
    expect(() => readConfig({ PARSE3D_GPUS: wrong })).toThrow(/PARSE3D_GPUS/);
});
