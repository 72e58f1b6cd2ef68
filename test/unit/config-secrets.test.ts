import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ConfigError, readConfig } from "../../server/config.ts";
import { Settings, secretSettings } from "../../server/settings.ts";

const folder = mkdtempSync(join(tmpdir(), "parse3d-secrets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
function file(content: string): string {
  const path = join(folder, `secret-${count++}`);
  writeFileSync(path, content);
  return path;
}

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const token = "0123456789abcdef";
const database = "postgres://parse3d@db.example/parse3d";

test("every secret can come from a file, as if the variable held what is in it", () => {
  const environments: NodeJS.ProcessEnv[] = [
    { PARSE3D_TOKEN: token },
    { PARSE3D_TOKENS: `${token},${token}-other` },
    { PARSE3D_DICOMWEB_TOKEN: "t" },
    { PARSE3D_DICOMWEB_PASSWORD: "p w", PARSE3D_DICOMWEB_USER: "u" },
    { PARSE3D_DATABASE_URL: database },
    { PARSE3D_DATABASE_PASSWORD: "p", PARSE3D_DATABASE_URL: database },
    { PARSE3D_DESTINATIONS: '{"other":{"url":"http://pacs.example","token":"t"}}' },
    { PARSE3D_NOTIFY_SECRET: token, PARSE3D_NOTIFY_URL: "http://ris.example", PARSE3D_JOBS: "durable" },
    { HF_TOKEN: "hf" },
  ];
  expect(environments.map((env) => Object.keys(env)[0])).toEqual([...secretSettings]);
  for (const env of environments) {
    const [[name = "", value = ""] = [], ...others] = Object.entries(env);
    const byFile = { ...Object.fromEntries(others), [`${name}_FILE`]: file(String(value)) };
    expect(readConfig(byFile), name).toEqual(readConfig(env));
  }
});

test("the line's end at the end of a file is no part of the secret; all else is", () => {
  for (const [content, password] of [
    ["secret\n", "secret"],
    ["secret\r\n", "secret"],
    ["secret", "secret"],
    [" secret \n\n", " secret \n"],
  ] as const) {
    const config = readConfig({ PARSE3D_DICOMWEB_USER: "u", PARSE3D_DICOMWEB_PASSWORD_FILE: file(content) });
    expect(config.pacs.credentials).toEqual({ kind: "basic", user: "u", password });
  }
});

test("a file that is not there, is empty, is a folder, or stands beside the variable is named, and no secret is told", () => {
  expect(problemsOf({ PARSE3D_TOKEN_FILE: join(folder, "none") })).toEqual([
    "PARSE3D_TOKEN_FILE: the file cannot be read (ENOENT)",
  ]);
  expect(problemsOf({ PARSE3D_TOKEN_FILE: folder })).toEqual(["PARSE3D_TOKEN_FILE: the file cannot be read (EISDIR)"]);
  expect(problemsOf({ PARSE3D_TOKEN_FILE: file("\n") })).toEqual(["PARSE3D_TOKEN_FILE: the file is empty"]);
  expect(problemsOf({ PARSE3D_TOKEN: token, PARSE3D_TOKEN_FILE: file(token) })).toEqual([
    "PARSE3D_TOKEN_FILE: set either it or PARSE3D_TOKEN, not both",
  ]);
  // What is wrong with the content is said under the setting's own name, beside all else.
  const problems = problemsOf({ PARSE3D_TOKEN_FILE: file("hunter2"), HF_TOKEN_FILE: "/none", PARSE3D_PORT: "many" });
  expect(problems.map((problem) => problem.split(":")[0]).sort()).toEqual([
    "HF_TOKEN_FILE",
    "PARSE3D_PORT",
    "PARSE3D_TOKEN",
  ]);
  expect(problems.join()).not.toContain("hunter2");
});

test("an empty variable counts as not set, with _FILE as without; one that is no secret has no _FILE", () => {
  const byFile = { PARSE3D_TOKEN: "", PARSE3D_TOKEN_FILE: file(token), PARSE3D_DICOMWEB_TOKEN_FILE: "" };
  expect(readConfig(byFile).http.access).toMatchObject({ tokens: [token] });
  expect(readConfig(byFile).unknownVariables).toEqual([]);
  expect(readConfig({ PARSE3D_HOST_FILE: file("0.0.0.0") })).toMatchObject({
    unknownVariables: ["PARSE3D_HOST_FILE"],
    http: { access: { host: "127.0.0.1" } },
  });
});

test("the database's password may stand apart from its address, whatever characters it has", () => {
  const secret = "p@ss/w:rd%?#";
  const { database: read } = readConfig({ PARSE3D_DATABASE_URL: database, PARSE3D_DATABASE_PASSWORD: secret });
  const url = new URL(read.kind === "server" ? read.url : "");
  expect([url.username, decodeURIComponent(url.password), url.host]).toEqual(["parse3d", secret, "db.example"]);
  expect(problemsOf({ PARSE3D_DATABASE_PASSWORD: secret })).toHaveLength(1);
  const twice = { PARSE3D_DATABASE_URL: "postgres://u:p@db.example/x", PARSE3D_DATABASE_PASSWORD: secret };
  expect(problemsOf(twice)).toEqual([expect.stringContaining("holds one already")]);
  const nobody = { PARSE3D_DATABASE_URL: "postgres://db.example/x", PARSE3D_DATABASE_PASSWORD: secret };
  expect(problemsOf(nobody)).toEqual([expect.stringContaining("names no user")]);
});

test("what looks like a secret among the settings is one, or is read from a file in its own way", () => {
  const looksLike = Object.keys(Settings.shape).filter((name) =>
    /TOKENS?$|PASSWORD$|SECRET$|KEY$|DESTINATIONS$/.test(name),
  );
  const ownWay = looksLike.filter((name) => `${name}_FILE` in Settings.shape);
  expect(ownWay).toEqual(["PARSE3D_AZURE_ML_KEY", "PARSE3D_OPEN_INFERENCE_KEY"]);
  expect([...secretSettings, ...ownWay]).toEqual(expect.arrayContaining(looksLike));
  const docs = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
  const listed = /## Secrets in files\n([\s\S]*?)\n## /.exec(docs)?.[1] ?? "";
  for (const name of secretSettings) expect(listed, name).toContain(`\`${name}\``);
});
