import { expect, test } from "vitest";
import { ConfigError, readConfig } from "../../server/config.ts";

function problemsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const durable = { PARSE3D_JOBS: "durable" };

test("an archive is searched only where that is asked for, and needs a database", () => {
  expect(readConfig({ PARSE3D_DICOMWEB_URL: "http://pacs.example/dicom-web", ...durable }).routing).toEqual({
    kind: "off",
  });
  const qido = {
    PARSE3D_ROUTING_SOURCE: "qido",
    PARSE3D_ROUTING_WINDOW_DAYS: "7",
    PARSE3D_ROUTING_STABLE_SECONDS: "90",
  };
  expect(readConfig({ ...qido, ...durable }).routing).toEqual({
    kind: "qido",
    windowDays: 7,
    stableMs: 90_000,
    pollMs: 10_000,
    superseded: "keep",
    modalities: ["CT", "MR", "PT"],
  });
  expect(problemsOf(qido)).toEqual([expect.stringMatching(/^PARSE3D_ROUTING_SOURCE: .*PARSE3D_JOBS=durable/)]);
  expect(problemsOf({ ...durable, PARSE3D_ROUTING_SOURCE: "orthanc" })).toEqual([
    expect.stringContaining("PARSE3D_ORTHANC_URL"),
  ]);
  // Removing is Orthanc's alone.
  const removing = { ...qido, ...durable, PARSE3D_ROUTING_SUPERSEDED: "remove" };
  expect(problemsOf(removing)).toHaveLength(1);
  const PARSE3D_ORTHANC_URL = "http://127.0.0.1:8042";
  expect(readConfig({ ...removing, PARSE3D_ORTHANC_URL }).routing).toMatchObject({
    kind: "qido",
    url: PARSE3D_ORTHANC_URL,
  });
});

test("destinations have names, and their secrets are in no problem", () => {
  const of = (value: unknown) => ({ PARSE3D_DESTINATIONS: JSON.stringify(value) });
  const url = "https://pacs.example/dicom-web/";
  expect(
    readConfig(of({ research: { url, token: "hunter2" }, open: { url }, basic: { url, user: "u", password: "p" } }))
      .destinations,
  ).toEqual({
    research: { url: url.slice(0, -1), credentials: { kind: "bearer", token: "hunter2" } },
    open: { url: url.slice(0, -1), credentials: { kind: "none" } },
    basic: { url: url.slice(0, -1), credentials: { kind: "basic", user: "u", password: "p" } },
  });
  for (const wrong of [
    { research: { url: "ftp://pacs.example", token: "hunter2" } },
    { research: { url: "https://u:hunter2@pacs.example" } },
    { "a b": { url, token: "hunter2" } },
    { research: { url, token: "hunter2", user: "u", password: "p" } },
    { research: { url, user: "u" } },
    { research: { url, secret: "hunter2" } },
    "hunter2",
  ]) {
    const problems = problemsOf(of(wrong));
    expect(problems.join(), JSON.stringify(wrong)).toMatch(/^PARSE3D_DESTINATIONS/);
    expect(problems.join()).not.toContain("hunter2");
  }
  expect(problemsOf({ PARSE3D_DESTINATIONS: "{hunter2" }).join()).not.toContain("hunter2");
});

test("notices need a secret and a database; what they tell is little unless asked for more", () => {
  const PARSE3D_NOTIFY_URL = "https://ris.example/hook";
  const PARSE3D_NOTIFY_SECRET = "0123456789abcdef";
  expect(problemsOf({ PARSE3D_NOTIFY_URL })).toEqual([
    expect.stringContaining("PARSE3D_NOTIFY_SECRET"),
    expect.stringContaining("PARSE3D_JOBS=durable"),
  ]);
  expect(problemsOf({ PARSE3D_NOTIFY_SECRET: "short" })).toHaveLength(1);
  expect(readConfig({ PARSE3D_NOTIFY_URL, PARSE3D_NOTIFY_SECRET, ...durable }).notices).toEqual({
    kind: "webhook",
    url: PARSE3D_NOTIFY_URL,
    secret: PARSE3D_NOTIFY_SECRET,
    jobs: "routing",
    uids: false,
  });
});
