import { z } from "zod";
import * as api from "#server/contract/index.ts";
import { statusOf } from "./problem.ts";
import { requestExamples } from "./request-examples.ts";

/** JSON data of an OpenAPI document. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const { contract, ...schemas } = api;

/** Schemas with a name of their own; each is named as it is exported. */
const requestNames = [
  "BackfillRule",
  "CutAgain",
  "PromptInput",
  "RoutingRule",
  "RulePredicate",
  "SegmentFields",
  "SubmitJob",
  "SubmitReview",
  "TestRules",
] as const;
const replyNames = [
  "BackfillView",
  "FindingView",
  "FindingsHeader",
  "HealthView",
  "JobEvent",
  "JobList",
  "JobView",
  "ModelList",
  "ModelView",
  "Problem",
  "ReadyView",
  "ReviewList",
  "ReviewView",
  "RuleList",
  "RuleTaken",
  "RulePredicate",
  "RuleTestView",
  "RuleView",
  "VocabularyView",
] as const;

/** Problems that any route may answer with. */
const commonProblems: readonly api.ProblemCode[] = ["invalid-request", "unauthenticated", "forbidden", "internal"];

/** The same where no token is asked for. */
const openProblems: readonly api.ProblemCode[] = ["forbidden", "internal"];

const problemContent = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };

/** The contract as an OpenAPI 3.1 document. */
export function openApiDocument(version: string) {
  const requests = describeSchemas(requestNames, "input");
  return {
    openapi: "3.1.1",
    info: {
      title: "Parse3D",
      version,
      summary: "Text-prompted segmentation of medical images",
      description:
        "From a prompt to a DICOM SEG in the research archive. Research use only: not for diagnosis or treatment.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "http://127.0.0.1:8117" }],
    security: [{ bearer: [] }],
    paths: describePaths(),
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "Needed where PARSE3D_TOKEN is set; without it the server answers this machine only.",
        },
      },
      // What is both asked and answered is described as it is asked.
      schemas: { ...requests, ...describeSchemas(replyNames, "output"), ...requests },
    },
  } as const;
}

export type OpenApiDocument = ReturnType<typeof openApiDocument>;

function describePaths(): Readonly<Record<string, Readonly<Record<string, JsonObject>>>> {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const [name, route] of Object.entries<api.Route>(contract)) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(name as keyof api.Contract, route) };
  }
  return paths;
}

function describeRoute(name: keyof api.Contract, route: api.Route): JsonObject {
  return {
    operationId: name,
    summary: route.summary,
    ...(route.description && { description: route.description }),
    ...(route.open && { security: [] }),
    parameters: [
      ...describeParameters("path", route.params),
      ...describeParameters("query", route.query),
      ...describeParameters("header", route.headers),
    ],
    ...describeBody(name, route),
    responses: { ...describeReplies(route), ...describeProblems(route) },
  };
}

function describeParameters(
  where: "path" | "query" | "header",
  schema: z.ZodObject | undefined,
): readonly JsonObject[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...type } = inlineSchema(field, "input");
    const required = where === "path";
    return {
      name,
      in: where,
      required,
      ...(description && { description }),
      schema: type,
    };
  });
}

function describeBody(name: keyof api.Contract, route: api.Route): JsonObject {
  const example = toJson({ example: requestExamples[name] });
  if (route.kind === "json" && route.body) {
    const content = { schema: schemaOf(route.body, "input"), ...example };
    return { requestBody: { required: true, content: { "application/json": content } } };
  }
  if (route.kind !== "upload") return {};
  const fields = inlineSchema(route.fields, "input");
  const file = { type: "string", contentMediaType: "application/octet-stream", description: "A NIfTI, gzipped or not" };
  const { properties, required } = fields;
  const schema = { ...fields, properties: { file, ...asObject(properties) }, required: ["file", ...asList(required)] };
  return { requestBody: { required: true, content: { "multipart/form-data": { schema } } } };
}

function describeReplies(route: api.Route): JsonObject {
  switch (route.kind) {
    case "json": {
      const content = { "application/json": { schema: schemaOf(route.reply, "output") } };
      const location = { Location: { description: "Where the job is", schema: { type: "string" } } };
      const description = route.status === 202 ? "Accepted" : "OK";
      return {
        [route.status]: { description, ...(route.location && { headers: location }), content },
        ...(route.doneIf && {
          200: { description: "Answered before: an earlier job and its result", headers: location, content },
        }),
        ...(route.unavailableUnless && { 503: { description: "Not ready; the document says what is not", content } }),
      };
    }
    case "events": {
      const event = { description: "Each event's data; its id and type are also the fields id and event" };
      const schema = {
        type: "string",
        contentMediaType: "text/event-stream",
        contentSchema: { ...schemaOf(route.event, "output"), ...event },
      };
      return {
        200: {
          description: "Server-sent events (HTML standard, section 9.2)",
          content: { "text/event-stream": { schema } },
        },
        204: { description: "The job has ended and everything was already seen" },
      };
    }
    case "upload":
    case "bytes": {
      const headers = Object.entries(route.replyHeaders).map(([header, description]) => [
        header,
        { description, schema: { type: "string" } },
      ]);
      const schema = { type: "string", contentMediaType: route.mediaType };
      return {
        200: {
          description: route.kind === "upload" ? "A gzipped NIfTI" : "Bytes",
          headers: Object.fromEntries(headers),
          content: { [route.mediaType]: { schema } },
        },
      };
    }
    default:
      return route satisfies never;
  }
}

/** One response for each status, which names its codes. */
function describeProblems(route: api.Route): JsonObject {
  const codes = [...new Set([...(route.open ? openProblems : commonProblems), ...route.problems])];
  const byStatus = Map.groupBy(codes, (code) => statusOf[code]);
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => !(route.kind === "json" && route.unavailableUnless && status === 503))
      .map(([status, some]) => [status, { description: some.join(", "), content: problemContent }]),
  );
}

type Side = "input" | "output";

function namesOf(side: Side): readonly (typeof requestNames)[number][] | readonly (typeof replyNames)[number][] {
  return side === "input" ? requestNames : replyNames;
}

/** A reference where the schema has a name; the schema itself otherwise. */
function schemaOf(schema: z.ZodType, side: Side): JsonObject {
  const name = namesOf(side).find((one) => schemas[one] === schema);
  return name ? { $ref: `#/components/schemas/${name}` } : inlineSchema(schema, side);
}

function inlineSchema(schema: z.ZodType, side: Side): JsonObject {
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io: side, override: simplify(side) });
  return toJson(json);
}

function describeSchemas(names: readonly (keyof typeof schemas)[], side: Side): Readonly<Record<string, JsonObject>> {
  const registry = z.registry<{ id: string }>();
  for (const id of names) registry.add(schemas[id] as z.ZodType, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas: described } = z.toJSONSchema(registry, { io: side, uri, override: simplify(side) });
  return Object.fromEntries(
    Object.entries(described).map(([id, { $schema: _dialect, $id: _id, ...json }]) => [id, toJson(json)]),
  );
}

/** Leaves out what a reader does not need, and lets replies gain fields later: a client ignores what it does not know. */
function simplify(side: Side) {
  return ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) => {
    if (side === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  };
}

function toJson(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}
