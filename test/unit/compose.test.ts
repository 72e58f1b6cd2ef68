import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { readConfig } from "../../server/config.ts";

const root = join(import.meta.dirname, "../..");
const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      environment: z.record(z.string(), z.string()).default({}),
      volumes: z.array(z.string()).default([]),
      ports: z.array(z.string()).default([]),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});
const { services, volumes } = Compose.parse(parse(readFileSync(join(root, "docker-compose.yml"), "utf8")));
const { orthanc, server } = services;

/** As compose fills in what has no default here. */
function filledIn(environment: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{\w+:\?[^}]*\}/g, "0123456789abcdef").replace(/\$\{\w+:-([^}]*)\}/g, "$1"),
    ]),
  );
}

test("the server's environment in docker-compose.yml is one that it starts with: every name is known, and it routes", () => {
  const config = readConfig(filledIn(server?.environment));
  expect(config.unknownVariables).toEqual([]);
  expect(config.routing).toMatchObject({ kind: "orthanc", url: "http://orthanc:8042" });
  expect(config.http.access.kind).toBe("tokens");
});

test("what docker-compose.yml mounts is there, and reaches the places that Orthanc's configuration names", () => {
  const mounted = new Map((orthanc?.volumes ?? []).map((line) => line.split(":").slice(0, 2) as [string, string]));
  for (const [source] of mounted) {
    expect(source.startsWith("./") ? existsSync(join(root, source)) : source in volumes, source).toBe(true);
  }
  const settings = JSON.parse(readFileSync(join(root, "orthanc/orthanc.json"), "utf8"));
  for (const script of settings.LuaScripts) expect([...mounted.values()]).toContain(script);
  // The script reads its settings from there, and the container has the variables in them.
  const variables = JSON.stringify(settings.Parse3D).match(/(?<=\$\{)\w+/g);
  expect(variables).toEqual(["PARSE3D_HOOK_URL", "PARSE3D_TOKEN"]);
  const environment = filledIn(orthanc?.environment);
  for (const name of variables ?? []) expect(environment[name], name).toBeTruthy();
  expect(environment.PARSE3D_HOOK_URL).toBe("http://server:8117");
  expect(environment.PARSE3D_TOKEN).toBe(filledIn(server?.environment).PARSE3D_TOKEN);
});

test("only this machine reaches what docker-compose.yml publishes", () => {
  for (const [name, { ports }] of Object.entries(services)) {
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
  }
});
