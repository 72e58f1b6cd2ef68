import { expect, test } from "vitest";
import { type Contract, contract, type Problem, type Route } from "#server/contract/index.ts";
import { DatabaseUnavailableError } from "#server/database/index.ts";
import { openApiDocument } from "#server/http/index.ts";
import { StorageFullError } from "#server/jobs/index.ts";
import type { Routing } from "#server/routing/index.ts";
import { type ApiRequest, createApiClient } from "../fixtures/api-client.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

interface Described {
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}
const document = JSON.parse(JSON.stringify(openApiDocument("1.2.3"))) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};
const names = Object.keys(contract) as (keyof Contract)[];
const routeOf = (name: keyof Contract): Route => contract[name];

/** What is said of the answers that a route gives. */
function responsesOf(name: keyof Contract): Described["responses"] {
  const { path, method } = routeOf(name);
  const described = document.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];
  if (!described) throw new Error(`${name} is not described`);
  return described.responses;
}

/** Fails as its database does, whatever it is asked. */
function away<T extends object>(but: Partial<T> = {}): T {
  const fail = () => {
    throw new DatabaseUnavailableError("The database cannot be reached.");
  };
  return new Proxy(but, {
    get: (_target, name) => (name in but ? but[name as keyof T] : name === "then" ? undefined : fail),
  }) as T;
}

const rule = { id: "a", when: { tag: "Modality", equals: "CT" }, ask: { prompts: ["bone"] } };
const bodies: { readonly [Name in keyof Contract]?: unknown } = {
  submitJob: skullJob,
  putRule: rule,
  testRules: { rules: [rule] },
  backfillRule: {},
  orthancHook: {},
  cutAgain: { thresholds: { p1: 0.5 } },
  submitReview: { verdict: "accepted" },
};

/** A request that gets as far as what the route is for. */
function requestFor(name: keyof Contract): ApiRequest & { readonly form?: FormData } {
  const params = { id: "a", promptId: "p1" };
  if (routeOf(name).kind !== "upload") return { params, ...(name in bodies && { body: bodies[name] }) };
  const form = new FormData();
  form.set("prompts", "bone");
  form.set("modality", "CT");
  form.set("file", new Blob([new Uint8Array(8)]), "a.nii");
  return { form };
}

async function expectDeclared(name: keyof Contract, response: Response): Promise<Problem> {
  const { status } = response;
  const problem = (await response.json()) as Problem;
  expect(responsesOf(name)[status]?.description, `${name}: ${status} ${problem.code}`).toContain(problem.code);
  return problem;
}

test("whatever a route answers while the database is away, its description foretells", async () => {
  await using server = await startTestServer({
    parts: {
      queue: away(),
      reviews: away(),
      routing: away<Routing>({ wake: () => {} }),
      models: () => away<{ fail(): never }>().fail(),
    },
  });
  const told: (keyof Contract)[] = [];
  for (const name of names) {
    const response = await server.api.send(name, requestFor(name));
    if (response.ok || name === "ready") continue;
    const problem = await expectDeclared(name, response);
    expect(problem.code, name).toBe("database-unavailable");
    told.push(name);
  }
  expect(names.filter((name) => !told.includes(name)).sort()).toEqual(["health", "orthancHook", "ready"]);
});

test("a full disk is foretold by every route that it refuses, and every new job is refused", async () => {
  await using server = await startTestServer({
    parts: {
      admit: async () => {
        throw new StorageFullError("The disk is full.");
      },
    },
  });
  const refused: (keyof Contract)[] = [];
  for (const name of names) {
    const response = await server.api.send(name, requestFor(name));
    if (response.status !== 507) continue;
    await expectDeclared(name, response);
    refused.push(name);
  }
  const jobsBegin = names.filter((name) => {
    const route = routeOf(name);
    return route.kind === "upload" || (route.kind === "json" && route.location !== undefined);
  });
  expect(refused.sort()).toEqual(jobsBegin.sort());
});

test("a missing token, a body that is no JSON, one of another kind and one that is too large are foretold", async () => {
  const token = "0123456789abcdef";
  await using server = await startTestServer({
    http: { access: { kind: "tokens", host: "127.0.0.1", tokens: [token] }, maxUploadBytes: 16 },
    parts: { routing: away() },
  });
  const known = createApiClient(server.url, token);
  for (const name of names) {
    const { method, path, ...route } = routeOf(name);
    const refused = await server.api.send(name, requestFor(name));
    if (route.open) expect(refused.status, name).not.toBe(401);
    else expect((await expectDeclared(name, refused)).code, name).toBe("unauthenticated");
    if (method !== "POST" || (route.kind === "json" && !route.body)) continue;
    const url = `${server.url}${path.replace(/:\w+/g, "a")}`;
    const send = (type: string, body: string) =>
      fetch(url, { method, headers: { Authorization: `Bearer ${token}`, "Content-Type": type }, body });
    expect((await expectDeclared(name, await send("text/csv", "a,b"))).code, name).toBe("unsupported-media-type");
    if (route.kind !== "json") continue;
    expect((await expectDeclared(name, await send("application/json", "{"))).code, name).toBe("invalid-request");
    const large = `"${"x".repeat((route.maxBodyBytes ?? 2 ** 20) + 2 ** 20)}"`;
    expect((await expectDeclared(name, await send("application/json", large))).code, name).toBe("payload-too-large");
  }
  const tooLarge = requestFor("segmentNifti");
  tooLarge.form?.set("file", new Blob([new Uint8Array(64)]), "a.nii");
  expect((await expectDeclared("segmentNifti", await known.send("segmentNifti", tooLarge))).code).toBe(
    "payload-too-large",
  );
});

test("a server that has as much to do as it keeps says so on every route that begins a job", async () => {
  await using server = await startTestServer({ queue: { backlog: 0, concurrency: 0 } });
  for (const name of ["submitJob", "segmentNifti"] as const) {
    const problem = await expectDeclared(name, await server.api.send(name, requestFor(name)));
    expect(problem.code, name).toBe("rate-limited");
  }
  for (const name of ["retryJob", "cutAgain"] as const) {
    expect(responsesOf(name)[429]?.description, name).toContain("rate-limited");
  }
});
