import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { readConfig } from "../../server/config.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      environment: z.record(z.string(), z.string()).default({}),
      volumes: z.array(z.string()).default([]),
      ports: z.array(z.string()).default([]),
      networks: z.array(z.string()).default(["default"]),
      secrets: z.array(z.string()).default([]),
      profiles: z.array(z.string()).default([]),
      command: z.array(z.string()).default([]),
      build: z.object({ target: z.string() }).optional(),
      image: z.string(),
      read_only: z.boolean().default(false),
      cap_drop: z.array(z.string()).default([]),
      security_opt: z.array(z.string()).default([]),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});
const { services, volumes, secrets } = Compose.parse(parse(read("docker-compose.yml"), { merge: true }));
const { orthanc, server } = services;

/** As compose fills in what has no default here, with a folder in the place of that of its secrets. */
function filledIn(environment: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value
        .replace(/\$\{\w+:\?[^}]*\}/g, "0123456789abcdef")
        .replace(/\$\{\w+:-([^}]*)\}/g, "$1")
        .replace("/run/secrets", secretsFolder),
    ]),
  );
}

const secretsFolder = mkdtempSync(join(tmpdir(), "parse3d-compose-"));
for (const name of Object.keys(secrets)) writeFileSync(join(secretsFolder, name), "0123456789abcdef\n");
afterAll(() => rmSync(secretsFolder, { recursive: true, force: true }));

/** The Dockerfile's stages, each with its lines. */
const stages = new Map(
  read("Dockerfile")
    .replaceAll("\\\n", " ")
    .split(/^(?=FROM )/m)
    .flatMap((text) => {
      const name = /^FROM \S+ AS (\S+)/.exec(text)?.[1];
      return name === undefined ? [] : [[name, text] as const];
    }),
);

/** What a stage sets with ENV. */
function environmentOf(stage: string): Record<string, string> {
  const lines = [...(stages.get(stage) ?? "").matchAll(/^ENV (.*)$/gm)].map(([, rest]) => rest ?? "");
  return Object.fromEntries(
    lines.flatMap((line) =>
      [...line.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name = "", value = ""]) => [name, value.replaceAll('"', "")]),
    ),
  );
}

describe("docker-compose.yml", () => {
  test("has the archive, PostgreSQL, the server, a worker for each profile, and OHIF", () => {
    const byProfile = (profile: string) =>
      Object.keys(services).filter((name) => {
        const { profiles } = services[name]!;
        return profiles.length === 0 || profiles.includes(profile);
      });
    expect(byProfile("cpu")).toEqual(["orthanc", "database", "server", "worker-cpu", "ohif"]);
    expect(byProfile("gpu")).toEqual(["orthanc", "database", "server", "worker-gpu", "ohif"]);
    expect(Number(/orthanc:(\d+)\./.exec(orthanc?.image ?? "")?.[1])).toBeGreaterThanOrEqual(26);
  });

  test.each(["server", "worker-cpu", "worker-gpu"])("gives %s an environment that it starts with", (name) => {
    const { environment, build } = services[name]!;
    const config = readConfig({ ...environmentOf(build?.target ?? ""), ...filledIn(environment) });
    expect(config.unknownVariables).toEqual([]);
    expect(config.routing).toMatchObject({ kind: "orthanc", url: "http://orthanc:8042" });
    expect(config.http.access).toMatchObject({ kind: "tokens", host: "0.0.0.0" });
    expect(config.database).toEqual({
      kind: "server",
      url: "postgres://parse3d:0123456789abcdef@database:5432/parse3d",
    });
    expect(config.dataFolder).toBe("/data");
    expect(config.inference.executionProvider).toBe({ "worker-cpu": "cpu", "worker-gpu": "cuda" }[name] ?? "auto");
  });

  test("runs commands that there are, and leaves the jobs to the workers", () => {
    expect(server?.command).toEqual(["node", "server/cli/main.ts", "serve", "--no-worker"]);
    for (const name of ["worker-cpu", "worker-gpu"]) {
      expect(services[name]?.command).toEqual(["node", "server/cli/main.ts", "worker"]);
    }
    expect(existsSync(join(root, "server/cli/main.ts"))).toBe(true);
  });

  test("mounts what is there, at the places that Orthanc's configuration names", () => {
    for (const { volumes: mounts } of Object.values(services)) {
      for (const [source = ""] of mounts.map((line) => line.split(":"))) {
        expect(source.startsWith("./") ? existsSync(join(root, source)) : source in volumes, source).toBe(true);
      }
    }
    const mounted = new Map((orthanc?.volumes ?? []).map((line) => line.split(":").slice(0, 2) as [string, string]));
    const settings = JSON.parse(read("orthanc/orthanc.json"));
    for (const script of settings.LuaScripts) expect([...mounted.values()]).toContain(script);
    // The script reads its settings from there, and the container has the variables in them.
    const variables = JSON.stringify(settings.Parse3D).match(/(?<=\$\{)\w+/g);
    expect(variables).toEqual(["PARSE3D_HOOK_URL", "PARSE3D_TOKEN"]);
    const environment = filledIn(orthanc?.environment);
    for (const name of variables ?? []) expect(environment[name], name).toBeTruthy();
    expect(environment.PARSE3D_HOOK_URL).toBe("http://server:8117");
    expect(environment.PARSE3D_TOKEN).toBe(filledIn(server?.environment).PARSE3D_TOKEN);
  });

  test("is reached by this machine only, and the database by Parse3D alone", () => {
    for (const [name, { ports }] of Object.entries(services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    }
    expect(services.database).toMatchObject({ ports: [], networks: ["inside"] });
    const inside = Object.keys(services).filter((name) => services[name]?.networks.includes("inside"));
    expect(inside).toEqual(["database", "server", "worker-cpu", "worker-gpu"]);
  });

  test("holds no secret, and hardens all that is ours and the database", () => {
    for (const [name, { environment }] of Object.entries(services)) {
      for (const [variable, value] of Object.entries(environment)) {
        const what = `${name} ${variable}`;
        if (variable === "PARSE3D_DATABASE_URL") expect(new URL(value).password, what).toBe("");
        else if (variable.endsWith("_FILE")) {
          const secret = /^\/run\/secrets\/(.+)$/.exec(value)?.[1];
          expect(services[name]?.secrets, what).toContain(secret);
        } else if (/TOKEN|PASSWORD|USERS/.test(variable)) expect(value, what).toMatch(/\$\{\w+:\?/);
      }
    }
    // Files, for compose mounts nothing else into a file system that is read only; neither kept nor sent to a build.
    for (const [name, { file }] of Object.entries(secrets)) expect(file, name).toMatch(/^\$\{\w+:-\.\/secrets\//);
    expect(read(".gitignore").split("\n")).toContain("secrets/");
    expect(read(".dockerignore").split("\n")).toContain("secrets");
    for (const [name, service] of Object.entries(services)) {
      if (name !== "orthanc") expect(service, name).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
      expect(service.security_opt, name).toContain("no-new-privileges:true");
    }
  });
});

describe("Dockerfile", () => {
  test("has the stages that docker-compose.yml builds, and ends with the server's", () => {
    for (const { build } of Object.values(services)) if (build) expect([...stages.keys()]).toContain(build.target);
    expect([...stages.keys()].at(-1)).toBe("server");
  });

  test("copies what is there and what .dockerignore lets through, from stages that are above", () => {
    const ignored = read(".dockerignore").split("\n").filter(Boolean);
    const known = new Set<string>();
    for (const [name, text] of stages) {
      for (const [, from, rest = ""] of text.matchAll(/^COPY (?:--from=(\S+) )?(.*)$/gm)) {
        const sources = rest.trim().split(/\s+/).slice(0, -1);
        if (from !== undefined) expect([...known], `${name}: ${from}`).toContain(from);
        for (const source of from === undefined ? sources : []) {
          expect(existsSync(join(root, source)), `${name}: ${source}`).toBe(true);
          expect(ignored.includes(source.split("/")[0]!), `${name}: ${source}`).toBe(false);
        }
      }
      for (const [, script = ""] of text.matchAll(/\bnode (\S+\.ts)/g)) {
        expect(existsSync(join(root, script)), `${name}: ${script}`).toBe(true);
      }
      known.add(name);
    }
  });

  test.each(["gpu", "server", "viewer"])("ends the image %s as somebody who is not root", (name) => {
    expect([...(stages.get(name) ?? "").matchAll(/^USER (\S+)$/gm)].at(-1)?.[1]).toMatch(/^(node|101)$/);
  });

  test("and docker-compose.yml set all that the viewer's web server is configured by", () => {
    const template = read("deploy/viewer/default.conf.template");
    const used = new Set([...template.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, name]) => name!));
    const image = environmentOf("viewer");
    const set = {
      ...image,
      ...services.ohif?.environment,
      ...Object.fromEntries(
        [...read("deploy/viewer/15-authorization.envsh").matchAll(/^export (\w+)/gm)].map(([, n]) => [n, ""]),
      ),
      // The image's entrypoint sets it.
      ...(image.NGINX_ENTRYPOINT_LOCAL_RESOLVERS && { NGINX_LOCAL_RESOLVERS: "" }),
    };
    const filter = new RegExp(image.NGINX_ENVSUBST_FILTER ?? "");
    for (const name of used) {
      expect(Object.keys(set), name).toContain(name);
      expect(filter.test(name), name).toBe(true);
    }
    // nginx's own variables are in lower case and without braces.
    expect(template).not.toMatch(/\$[A-Z]/);
  });
});
