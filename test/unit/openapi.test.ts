import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { contract, type Route } from "#server/contract/index.ts";
import { longestPrompt, mostPrompts } from "#server/domain/index.ts";
import { openApiDocument } from "#server/http/index.ts";
import { startTestServer } from "../fixtures/test-server.ts";

const root = new URL("../../", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const document = JSON.parse(JSON.stringify(openApiDocument(version)));

test("docs/openapi.json is what the contract says now (node bin/write-openapi.ts writes it)", () => {
  expect(JSON.parse(readFileSync(new URL("docs/openapi.json", root), "utf8"))).toEqual(document);
});

test("every route of the contract is described, and nothing else", () => {
  const described = Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => [operationId, method.toUpperCase(), path]),
  );
  const routes = Object.entries<Route>(contract).map(([name, { method, path }]) => [
    name,
    method,
    path.replace(/:(\w+)/g, "{$1}"),
  ]);
  expect(described.sort()).toEqual(routes.sort());
});

test("every reference leads to a schema that is there", () => {
  const names = Object.keys(document.components.schemas);
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
  expect(references.length).toBeGreaterThan(20);
  for (const reference of references) expect(names).toContain(reference?.replace("#/components/schemas/", ""));
});

test("requests refuse unknown fields; replies may gain some", () => {
  const { SubmitJob, JobView } = document.components.schemas;
  expect(SubmitJob).toMatchObject({
    additionalProperties: false,
    required: ["studyInstanceUid", "seriesInstanceUid"],
  });
  expect(JobView.additionalProperties).toBeUndefined();
});

test("what is said of prompts is what the domain holds to", () => {
  const { PromptInput, SubmitJob } = document.components.schemas;
  expect(PromptInput.anyOf[0].maxLength).toBe(longestPrompt);
  expect(SubmitJob.properties.prompts.maxItems).toBe(mostPrompts);
});

test("streams, uploads and problems have their media types", () => {
  const { paths } = document;
  expect(paths["/v1/jobs/{id}/events"].get.responses["200"].content).toHaveProperty("text/event-stream");
  expect(paths["/v1/segment"].post.requestBody.content["multipart/form-data"].schema).toMatchObject({
    required: ["file", "modality"],
  });
  expect(paths["/v1/segment"].post.responses["200"].headers).toHaveProperty("Parse3D-Findings");
  expect(paths["/v1/jobs"].post.responses["429"].content).toHaveProperty("application/problem+json");
  expect(paths["/healthz"].get.security).toEqual([]);
});

test("the server gives the same document, and a page that needs nothing but itself", async () => {
  await using server = await startTestServer({ parts: { version } });
  expect(await (await fetch(`${server.url}/openapi.json`)).json()).toEqual(document);
  const response = await fetch(`${server.url}/docs`);
  const page = await response.text();
  expect(response.headers.get("Content-Type")).toContain("text/html");
  expect(response.headers.get("Content-Security-Policy")).toMatch(/default-src 'none'; style-src 'sha256-[\w+/=]+'/);
  expect(page).toContain("Research use only");
  for (const { method, path } of Object.values<Route>(contract)) expect(page).toContain(`${method} ${path}`);
  expect(page).toContain("curl -N");
  expect(page).not.toMatch(/<script|<img|<link|src=|https?:\/\/(?!127)/);
});

test("a problem's type is an address that explains it", async () => {
  await using server = await startTestServer();
  const response = await fetch(`${server.url}/problems/invalid-prompt`, { redirect: "manual" });
  expect([response.status, response.headers.get("Location")]).toEqual([302, "/docs#problem-invalid-prompt"]);
  expect(await (await fetch(`${server.url}/docs`)).text()).toContain('id="problem-invalid-prompt"');
});

test("the contract stands alone: a browser can import it", () => {
  const files = [
    "contract",
    "deep-readonly",
    "finding",
    "health",
    "index",
    "job",
    "model",
    "preview",
    "probabilities",
    "problem",
    "prompt",
    "result-routes",
    "review",
    "route",
    "segment",
    "uid",
  ];
  for (const file of files) {
    const source = readFileSync(new URL(`server/contract/${file}.ts`, root), "utf8");
    const imports = [...source.matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
    for (const name of imports) expect(name).toMatch(/^(zod|\.\/[\w-]+\.ts)$/);
  }
});
