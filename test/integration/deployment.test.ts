import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { readConfig } from "../../server/config.ts";
import { runCompose, runHelm, validateManifests, whyNoTools } from "../fixtures/deploy-tools.ts";

const missing = whyNoTools();
if (missing !== undefined) console.warn(`\n*** COMPOSE FILE AND HELM CHART ARE NOT LINTED: ${missing} ***\n`);

const folder = mkdtempSync(join(tmpdir(), "parse3d-deploy-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(missing !== undefined)("docker compose config", () => {
  const secrets = { PARSE3D_TOKEN: "0123456789abcdef", ORTHANC_PASSWORD: "secret" };

  test.each(["cpu", "gpu"])("takes the file with the profile %s", (profile) => {
    const { status, stdout, stderr } = runCompose({ ...secrets, COMPOSE_PROFILES: profile }, "config");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { services, secrets: secretFiles } = parse(stdout);
    expect(Object.keys(services).sort()).toEqual(["database", "ohif", "orthanc", "server", `worker-${profile}`]);
    const worker = services[`worker-${profile}`];
    expect(worker.environment.PARSE3D_DATABASE_URL).toBe("postgres://parse3d@database:5432/parse3d");
    for (const name of ["database", "server", `worker-${profile}`]) {
      expect(services[name].secrets).toMatchObject([{ source: "database-password" }]);
    }
    expect(secretFiles["database-password"].file).toMatch(/\/secrets\/database-password$/);
    expect(worker).toMatchObject({ read_only: true, cap_drop: ["ALL"], depends_on: { database: {} } });
    expect(worker.deploy?.resources.reservations.devices).toEqual(
      profile === "gpu" ? [{ driver: "nvidia", count: 1, capabilities: ["gpu"] }] : undefined,
    );
  });

  test.each(Object.keys(secrets))("says that %s is missing", (name) => {
    const { status, stderr } = runCompose({ ...secrets, [name]: "" }, "config", "--quiet");
    expect(status).not.toBe(0);
    expect(stderr).toContain(name);
  });
});

const chart = "deploy/helm/parse3d";
const least = ["--set", "archive.dicomwebUrl=http://orthanc/dicom-web"];
const full = ["--values", `${chart}/ci/full-values.yaml`];

interface Container {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { name: string; mountPath: string }[];
  readonly resources: { readonly limits?: Readonly<Record<string, unknown>> };
  readonly securityContext: unknown;
  readonly image: string;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly containers: readonly [Container];
        readonly volumes: readonly {
          readonly name: string;
          readonly secret?: { readonly items: readonly { readonly key: string; readonly path: string }[] };
        }[];
        readonly enableServiceLinks: boolean;
        readonly securityContext: unknown;
      };
    };
  };
}

function render(values: readonly string[]): { readonly text: string; readonly manifests: readonly Manifest[] } {
  const { status, stdout, stderr } = runHelm("template", "parse3d", chart, ...values);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return { text: stdout, manifests: parseAllDocuments(stdout).map((document) => document.toJS()) };
}

const secretValues: Readonly<Record<string, string>> = {
  token: "0123456789abcdef",
  "database-url": "postgres://parse3d:secret@database/parse3d",
  "archive-password": "secret",
};

/** With the files of the Secret where a folder of ours takes the place of the mounted one. */
function environmentOf({ spec }: Manifest): Record<string, string> {
  const { containers, volumes } = spec.template.spec;
  const [{ env, volumeMounts }] = containers;
  const { mountPath = "" } = volumeMounts.find(({ name }) => name === "secrets") ?? {};
  for (const { key, path } of volumes.flatMap(({ secret }) => secret?.items ?? [])) {
    writeFileSync(join(folder, path), secretValues[key] ?? "");
  }
  return Object.fromEntries(env.map(({ name, value }) => [name, value.replace(mountPath, folder)]));
}

describe.skipIf(missing !== undefined)("the Helm chart", () => {
  test.each([
    ["the least that it needs", least],
    ["all that it can", full],
  ])("passes helm lint --strict with %s, and what it renders fits Kubernetes 1.27 and 1.37", (_name, values) => {
    const linted = runHelm("lint", "--strict", chart, ...values);
    expect(linted.stdout + linted.stderr).toContain("0 chart(s) failed");
    expect(linted.status).toBe(0);
    const { text, manifests } = render(values);
    // The Prometheus operator's own resources are in no schema of Kubernetes.
    const own = text.split(/^---$/m).filter((one) => /^kind:/m.test(one) && !one.includes("kind: ServiceMonitor"));
    expect(manifests.length - own.length).toBe(values === full ? 1 : 0);
    const file = join(folder, "manifests.yaml");
    writeFileSync(file, own.join("---\n"));
    for (const release of ["1.27", "1.37"]) {
      const validated = validateManifests(file, release);
      expect(validated).toMatchObject({ status: 0, stderr: "" });
    }
    // It can fail.
    writeFileSync(file, own.join("---\n").replaceAll("readOnlyRootFilesystem", "readOnlyRootFileSystem"));
    expect(validateManifests(file, "1.37").status).not.toBe(0);
  });

  test.each([
    ["without an archive", [], "archive.dicomwebUrl is needed"],
    ["with a mistyped value", [...least, "--set", "wrokers=1"], "wrokers"],
    ["with a variable that is none of ours", [...least, "--set", "environment.PATH=/tmp"], "PATH"],
  ])("is refused %s", (_name, values, words) => {
    const { status, stderr } = runHelm("template", "parse3d", chart, ...values);
    expect(status).not.toBe(0);
    expect(stderr).toContain(words);
  });

  test("starts each process with an environment that it knows, hardened, and selected by its own labels alone", () => {
    const { manifests } = render(full);
    const deployments = manifests.filter(({ kind }) => kind === "Deployment");
    expect(deployments.map(({ metadata }) => metadata.name)).toEqual([
      "parse3d-server",
      "parse3d-worker-cpu",
      "parse3d-worker-gpu",
    ]);
    for (const deployment of deployments) {
      const { metadata, spec } = deployment;
      const pod = spec.template.spec;
      const [container] = pod.containers;
      const config = readConfig({ PARSE3D_HOST: "0.0.0.0", PARSE3D_DATA_DIR: "/data", ...environmentOf(deployment) });
      expect(config.unknownVariables, metadata.name).toEqual([]);
      expect(config.database).toEqual({ kind: "server", url: secretValues["database-url"] });
      expect(config.pacs).toMatchObject({ credentials: { kind: "basic", user: "parse3d", password: "secret" } });
      expect(config.routing.kind).toBe("orthanc");
      expect(config.jobs.concurrency).toBe(2);
      // Kubernetes would set PARSE3D_PORT for a Service called parse3d.
      expect(pod.enableServiceLinks).toBe(false);
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      const volumes = pod.volumes.map(({ name }) => name).sort();
      expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes);
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    }
    const selectors = deployments.map(({ spec }) => JSON.stringify(spec.selector.matchLabels));
    expect(new Set(selectors).size).toBe(deployments.length);

    const [server, cpu, gpu] = deployments.map(({ spec }) => spec.template.spec.containers[0]);
    expect(server?.command).toEqual(["node", "server/cli/main.ts", "serve", "--no-worker"]);
    expect(cpu?.command).toEqual(["node", "server/cli/main.ts", "worker"]);
    expect([cpu?.image, gpu?.image]).toEqual(["registry.example/parse3d:1.2.3", "parse3d-gpu:0.1.0"]);
    expect([cpu?.resources.limits, gpu?.resources.limits]).toEqual([
      undefined,
      { memory: "24Gi", "nvidia.com/gpu": 1 },
    ]);
    expect(readConfig(environmentOf(deployments[2]!))).toMatchObject({
      worker: { models: ["medimageparse3d", "brain-t1"] },
      inference: { executionProvider: "cuda", anticipate: 16 },
    });
  });
});
